// What the listener serves beside these scripts as `uplot.js`.
export { default } from 'uplot';
