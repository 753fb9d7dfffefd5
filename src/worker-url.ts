/** The file of a worker thread beside the module that starts it: the built package has `.js` there, the checkout `.ts`. */
export function workerUrl(name: string, moduleUrl: string): URL {
  return new URL(`./${name}${moduleUrl.slice(moduleUrl.lastIndexOf('.'))}`, moduleUrl);
}
