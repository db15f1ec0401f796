// Reads an AsyncAPI document from its standard input and prints, as JSON, what AsyncAPI's own parser says of it.
const { Parser } = require('@asyncapi/parser');

let text = '';
process.stdin.on('data', (piece) => { text += piece; });
process.stdin.on('end', async () => {
  const { document, diagnostics } = await new Parser().parse(text);
  const said = diagnostics.map((one) => ({ severity: one.severity, code: one.code, path: one.path.join('.'), message: one.message }));
  const messages = document ? document.allMessages().all().map((one) => one.name()) : [];
  console.log(JSON.stringify({ accepted: document !== undefined, messages, diagnostics: said }));
});
