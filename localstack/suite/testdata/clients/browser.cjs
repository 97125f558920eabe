// Opens $PAGE in a headless Chromium, prints what the page logs, and gives it each line of the input to send.
// At the input's end the tab is closed, as a person closes it.
const readline = require("node:readline");
const { chromium } = require("playwright-core");

(async () => {
  // Chromium's own sandbox refuses root, which CI is; the page is ours.
  const browser = await chromium.launch({ executablePath: process.env.CHROMIUM, chromiumSandbox: false });
  browser.on("disconnected", () => process.exit());
  const devtools = await browser.newBrowserCDPSession();
  const { processInfo } = await devtools.send("SystemInfo.getProcessInfo");
  console.log(`Process ${processInfo.find(({ type }) => type === "browser").id}`);

  const page = await browser.newPage();
  page.on("console", (message) => (message.type() === "log" ? console.log : console.error)(message.text()));
  await page.goto(process.env.PAGE);
  for await (const line of readline.createInterface({ input: process.stdin })) {
    await page.evaluate((text) => socket.send(text), line);
  }
  await page.close();
  await browser.close();
})();
