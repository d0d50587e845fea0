/** Pages that the browser shows at the end of a login. Nothing is loaded from anywhere. */

const STYLE = `
:root { color-scheme: light dark; --ink: #16212b; --soft: #5b6b78; --paper: #f4f6f5; --card: #fff; --line: #d9e0de; --good: #1d7a5c; --bad: #b23a3a; }
@media (prefers-color-scheme: dark) { :root { --ink: #e7eceb; --soft: #9aaab0; --paper: #10171c; --card: #18222a; --line: #2a3740; --good: #56c79d; --bad: #ef8a8a; } }
* { box-sizing: border-box; }
body { margin: 0; min-height: 100vh; display: grid; place-items: center; background: var(--paper); color: var(--ink); font: 16px/1.55 system-ui, sans-serif; }
main { width: min(30rem, calc(100vw - 2rem)); padding: 2.5rem; background: var(--card); border: 1px solid var(--line); border-radius: 6px; border-top: 4px solid var(--tone); overflow-wrap: anywhere; }
.mark { font: 600 .8rem/1 ui-monospace, monospace; letter-spacing: .22em; text-transform: uppercase; color: var(--soft); }
h1 { margin: 1.25rem 0 .5rem; font-size: 1.6rem; line-height: 1.2; }
p { margin: .5rem 0 0; color: var(--soft); }
code { font: .9em ui-monospace, monospace; }
.good { --tone: var(--good); } .bad { --tone: var(--bad); }
`;

/** The login is stored. */
export function successPage(facts: {
  readonly email: string | undefined;
  readonly setupUrl: string | undefined;
}): string {
  const who = facts.email === undefined ? '' : ` as <strong>${escapeHtml(facts.email)}</strong>`;
  const setup =
    facts.setupUrl === undefined
      ? ''
      : `<p>Your organization is not set up for the API yet: <a href="${escapeHtml(facts.setupUrl)}">finish that</a>.</p>`;
  return page({
    tone: 'good',
    title: 'You are logged in',
    body: `<p>Quire is ready to work${who}.</p><p>Close this window and go back to your terminal.</p>${setup}`,
  });
}

/** The login came to nothing. */
export function failurePage(facts: { readonly message: string; readonly code: string | undefined }): string {
  const code = facts.code === undefined ? '' : `<p><code>${escapeHtml(facts.code)}</code></p>`;
  return page({
    tone: 'bad',
    title: 'The login did not work',
    body: `<p>${escapeHtml(facts.message)}</p>${code}<p>Close this window; the terminal tells what to do.</p>`,
  });
}

function page({
  tone,
  title,
  body,
}: {
  readonly tone: 'good' | 'bad';
  readonly title: string;
  readonly body: string;
}): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title} · Quire</title>
<style>${STYLE}</style>
</head>
<body>
<main class="${tone}">
<div class="mark">Quire</div>
<h1>${title}</h1>
${body}
</main>
</body>
</html>
`;
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
