/**
 * What a harmful query is trained to be answered with by cross-entropy. One text for all: the first words decide, and a soft prompt has no
 * room to learn many. It is what the detector calls a refusal in every reading.
 */
export const REFUSAL = "I'm sorry, but I can't assist with that.";
