/** What a person at the browser sees before they are sent back. */
export function consentPage(target: string, email: string): string {
  return page(
    `<p>You are ${escapeHtml(email)}.</p>\n<p><a id="continue" href="${escapeHtml(target)}">Continue</a></p>`,
  );
}

const DEVICE_TEXTS = {
  asked: 'Type in the code that the other machine shows.',
  allowed: 'The other machine is logged in.',
  unknown: 'No login waits for this code. Type it in again.',
} as const;

/** What a person sees who lets another machine log in. */
export function devicePage(state: keyof typeof DEVICE_TEXTS): string {
  const form = '<form><input id="code" name="code" autocomplete="off"> <button id="continue">Continue</button></form>';
  return page(`<p>${DEVICE_TEXTS[state]}</p>${state === 'allowed' ? '' : `\n${form}`}`);
}

function page(content: string): string {
  return `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>Simulated sign-in</title><link rel="icon" href="data:,"></head>
<body>
<h1>Simulated sign-in</h1>
${content}
</body>
</html>
`;
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
