/** What a person at the browser sees before they are sent back. */
export function consentPage(target: string, email: string): string {
  return `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>Simulated sign-in</title><link rel="icon" href="data:,"></head>
<body>
<h1>Simulated sign-in</h1>
<p>You are ${escapeHtml(email)}.</p>
<p><a id="continue" href="${escapeHtml(target)}">Continue</a></p>
</body>
</html>
`;
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
