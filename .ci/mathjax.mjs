// Converts formulas to MathML with MathJax and the packages that JupyterLab loads, each formula in a document of its own:
// node mathjax.mjs FOLDER_WITH_MATHJAX < CASES > RESULTS. A case is {tex, display, macros: {"\\name": "body"}}, a result
// its {mathml} or, where MathJax refuses it, its {error}.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { resolve } from "node:path";

const load = createRequire(resolve(process.argv[2], "package.json"));
const { mathjax } = load("mathjax-full/js/mathjax.js");
const { TeX } = load("mathjax-full/js/input/tex.js");
const { AllPackages } = load("mathjax-full/js/input/tex/AllPackages.js");
const { liteAdaptor } = load("mathjax-full/js/adaptors/liteAdaptor.js");
const { RegisterHTMLHandler } = load("mathjax-full/js/handlers/html.js");
const { SerializedMmlVisitor } = load("mathjax-full/js/core/MmlTree/SerializedMmlVisitor.js");
const { STATE } = load("mathjax-full/js/core/MathItem.js");

RegisterHTMLHandler(liteAdaptor());
const visitor = new SerializedMmlVisitor();
const left = ["bussproofs", "noerrors", "noundefined"]; // proofs need measured boxes; the others hide what is refused
const packages = [...AllPackages.filter((name) => !left.includes(name)), "require"];

function convert({ tex, display, macros = {} }) {
  const names = Object.fromEntries(Object.entries(macros).map(([name, body]) => [name.slice(1), body]));
  const formatError = (_, error) => {
    throw error;
  };
  try {
    const document = mathjax.document("", { InputJax: new TeX({ packages, macros: names, formatError }) });
    return { mathml: visitor.visitTree(document.convert(tex, { display, end: STATE.CONVERT })) };
  } catch (error) {
    return { error: error.message };
  }
}

console.log(JSON.stringify(JSON.parse(readFileSync(0, "utf8")).map(convert)));
