/** A quotation longer than this is an opening mark that was never closed. */
const MAX_QUOTED_WORDS = 80;

/** Follows quotation marks within one paragraph, and text that is set as code in it. */
export class Quotes {
  #double = false;
  #single = false;
  #code = false;
  #words = 0;

  get open(): boolean {
    return this.#double || this.#single || this.#code;
  }

  toggleDouble(): void {
    this.#double = !this.#double;
    this.#words = 0;
  }

  toggleCode(): void {
    this.#code = !this.#code;
    this.#words = 0;
  }

  openSingle(): void {
    this.#single = true;
    this.#words = 0;
  }

  closeSingle(): void {
    this.#single = false;
  }

  word(): void {
    this.#words++;
    if (this.open && this.#words > MAX_QUOTED_WORDS) this.reset();
  }

  reset(): void {
    this.#double = false;
    this.#single = false;
    this.#code = false;
    this.#words = 0;
  }
}
