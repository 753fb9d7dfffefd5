/** Beside the report's style sheet, whose colours it uses. */
export const promptStyle = `
.where ul{margin:0 0 .8rem;font-size:.875rem}
code{font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;font-size:.85em;overflow-wrap:anywhere}
code{display:inline-block;min-width:16rem}
table.facts{table-layout:fixed;margin:1rem 0 2rem}
h2{border-top:1px solid var(--grid);padding-top:1.4rem}
header,main{max-width:68rem}
thead th.number{white-space:normal}
.headline .figure{overflow-wrap:anywhere}
summary{cursor:pointer;padding:.4rem 0}
tbody th a{white-space:nowrap}
a:focus-visible,summary:focus-visible,.scroll:focus-visible{outline:2px solid var(--harmless);outline-offset:2px}
.warning{border-left:4px solid var(--harmful);padding:.1rem 0 .1rem .8rem}
`;
