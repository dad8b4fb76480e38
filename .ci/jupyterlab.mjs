// Renders Markdown and HTML with JupyterLab's own packages, as an oracle for the page of a submission.
// Reads a JSON list of {kind: "markdown" | "html", source} from standard input; writes the list of their HTML, in which
// each formula that MathJax finds is a <jl-formula display="true|false"> with its TeX. Bundled by esbuild, since the
// packages are made for a bundler.
import { createMarkdownParser } from '@jupyterlab/markedparser-extension';
import { Sanitizer } from '@jupyterlab/apputils/lib/sanitizer';
import { renderHTML, renderMarkdown } from '@jupyterlab/rendermime/lib/renderers';
import { mathjax } from 'mathjax-full/js/mathjax';
import { TeX } from 'mathjax-full/js/input/tex';
import { AllPackages } from 'mathjax-full/js/input/tex/AllPackages';
import { RegisterHTMLHandler } from 'mathjax-full/js/handlers/html';
import { browserAdaptor } from 'mathjax-full/js/adaptors/browserAdaptor';

RegisterHTMLHandler(browserAdaptor());
const typesetter = {
  typeset(host) {
    // The options of @jupyterlab/mathjax-extension 4.6.4
    const tex = new TeX({
      packages: AllPackages.concat('require'),
      inlineMath: [['$', '$'], ['\\(', '\\)']],
      displayMath: [['$$', '$$'], ['\\[', '\\]']],
      processEscapes: true,
      processEnvironments: true
    });
    const page = mathjax.document(window.document, { InputJax: tex });
    page.findMath({ elements: [host] });
    for (const item of page.math.reversed()) { // from the end, since each splits its text
      let found = window.document.createTextNode(item.math); // of `\\$` and `\\\\`
      if (item.display !== null) {
        found = window.document.createElement('jl-formula');
        found.setAttribute('display', String(item.display));
        found.textContent = item.math;
      }
      item.typesetRoot = found;
      item.state(item.state() < 150 ? 150 : item.state()); // typeset, so that it is put into the page
      item.updateDocument(page);
    }
  }
};

const chunks = [];
for await (const chunk of process.stdin) chunks.push(chunk);
const languages = { findBest: () => null, highlight: async (text, _, host) => { host.textContent = text; } };
const parser = createMarkdownParser(languages, { blocks: [] });
const sanitizer = new Sanitizer();
const rendered = [];
for (const { kind, source } of JSON.parse(Buffer.concat(chunks).toString())) {
  const host = window.document.createElement('div');
  window.document.body.replaceChildren(host);
  const options = {
    host, source, trusted: false, sanitizer, resolver: null, linkHandler: null,
    shouldTypeset: true, latexTypesetter: typesetter, markdownParser: parser
  };
  await (kind === 'markdown' ? renderMarkdown(options) : renderHTML(options));
  host.querySelectorAll('.jp-InternalAnchorLink').forEach(anchor => anchor.remove());
  rendered.push(host.innerHTML);
}
process.stdout.write(JSON.stringify(rendered));
