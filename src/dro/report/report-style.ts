import { darkTheme, lightTheme, themeVariables } from '../pictures/theme.ts';
import { pagePolicy } from './page.ts';

/** Pictures are drawn twice, for wide and for narrow pages; below this width the narrow ones are shown. */
const NARROW_BELOW = '700px';

/** The report's only style sheet. Holds none of the characters that HTML or XML would escape, for its digest is that of its bytes. */
export const reportStyle = `
:root{color-scheme:light dark;${themeVariables(lightTheme)}}
@media (prefers-color-scheme:dark){:root{${themeVariables(darkTheme)}}}
*{box-sizing:border-box}
body{margin:0;background:var(--background);color:var(--ink);line-height:1.55;font-size:1rem;
font-family:Inter,system-ui,-apple-system,'Segoe UI',Roboto,sans-serif}
header,main{max-width:57.5rem;margin:0 auto;padding:0 1rem}
header{padding-top:2rem}
main{padding-bottom:4rem}
h1{font-size:1.7rem;line-height:1.2;margin:0 0 .4rem;overflow-wrap:anywhere}
h2{font-size:1.25rem;margin:2.8rem 0 .8rem}
h3{font-size:1rem;margin:1.8rem 0 .4rem}
p{margin:.4rem 0;max-width:44rem}
a{color:inherit}
nav ul{list-style:none;display:flex;flex-wrap:wrap;gap:.2rem 1.1rem;padding:0;margin:1rem 0 0}
nav a{display:inline-block;padding:.2rem 0}
.remark,figcaption,caption{color:var(--muted);font-size:.875rem}
.headline{display:grid;grid-template-columns:repeat(auto-fit,minmax(15rem,1fr));gap:1rem;margin:1.4rem 0 0}
.headline div{background:var(--highlight);border-radius:.5rem;padding:.9rem 1.1rem}
.headline dt{font-size:.875rem}
.headline dd{margin:0}
.headline .figure{font-size:1.7rem;font-weight:600;line-height:1.3}
.headline .remark{color:var(--ink)}
figure{margin:1rem 0}
figure svg{display:block;width:100%;height:auto}
figcaption{margin-top:.5rem;max-width:44rem}
.narrow{display:none}
@media (max-width:${NARROW_BELOW}){.narrow{display:block}.wide{display:none}}
.scroll{overflow-x:auto;margin:1rem 0;container-type:inline-size}
table{border-collapse:collapse;width:100%;font-size:.9rem}
caption{text-align:left;padding-bottom:.5rem}
.scroll caption{position:sticky;left:0;max-width:100cqi}
th,td{text-align:left;vertical-align:top;padding:.45rem .9rem .45rem 0;border-bottom:1px solid var(--grid)}
thead th{border-bottom:2px solid var(--muted);vertical-align:bottom}
tbody th{font-weight:400;min-width:8rem}
tr.highlighted{background:var(--highlight)}
tr.highlighted th,tr.highlighted td{font-weight:600}
td.number,th.number{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}
.facts th{width:14rem;color:var(--muted);overflow-wrap:anywhere}
.facts td{overflow-wrap:anywhere;white-space:pre-wrap}
.query{min-width:14rem;overflow-wrap:anywhere}
.unwanted{font-weight:600}
@media (max-width:${NARROW_BELOW}){.facts th{width:40%}}
@media print{nav{display:none}h2{break-after:avoid}figure,tr{break-inside:avoid}}
`;

export const contentSecurityPolicy = pagePolicy([reportStyle]);
