// Starts the language server of legoc, where it is installed. Highlighting works without it.

const { window, workspace } = require("vscode");
const { LanguageClient } = require("vscode-languageclient/node");

let client;

async function activate() {
  const [command, ...args] = workspace.getConfiguration("lego").get("command");
  if (!command) {
    return;
  }
  client = new LanguageClient(
    "lego",
    "lego",
    { command, args },
    { documentSelector: [{ language: "lego" }] }
  );
  try {
    await client.start();
  } catch (error) {
    client = undefined;
    window.showWarningMessage(
      `The lego language server did not start (${error.message}). ` +
        "Install it with: pip install 'legoc[lsp]', or set lego.command."
    );
  }
}

function deactivate() {
  return client && client.stop();
}

module.exports = { activate, deactivate };
