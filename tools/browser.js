// The site in a real browser: node tools/browser.js < JSON {url, pages, chromium, playwright, axe, fuse, index, queries, quarto, shots,
// player, folded, equations, patience}. Called by tools/browser.py.
// Prints JSON lines: {kind, page, said}, and at the end {kind: 'done', ...}. Every address but `url` is blocked, and counted.
const fs = require('fs'), path = require('path');
const cfg = JSON.parse(fs.readFileSync(0, 'utf8'));
const { chromium } = require(cfg.playwright);
const axe = cfg.axe && fs.readFileSync(path.join(cfg.axe, 'axe.min.js'), 'utf8');
const say = (kind, page, said) => console.log(JSON.stringify({ kind, page, said }));
const PATIENCE = cfg.patience || 30000;      // ms that a browser has for what a reader does
const NARROW = { width: 390, height: 844 }, WIDE = { width: 1280, height: 900 };

async function context(browser, options) {
  const c = await browser.newContext(options);
  await c.route('**/*', (route) => {
    const u = route.request().url();
    if (u.startsWith(cfg.url) || u.startsWith('data:') || u.startsWith('blob:')) return route.continue();
    say('external', route.request().frame().url().replace(cfg.url, ''), u.slice(0, 120));
    return route.abort();
  });
  return c;
}

async function open(page, name) {
  await page.goto(cfg.url + name, { waitUntil: 'load', timeout: Math.max(120000, 4 * PATIENCE) });
  await page.evaluate(() => window.MathJax && MathJax.startup && MathJax.startup.promise).catch(() => null);
}

// What is wider than the screen, and formulas that run into the contents or out of their box
const wide = () => {
  const w = document.documentElement.clientWidth, out = [];
  const scrolls = document.documentElement.scrollWidth > w + 1 || document.body.scrollWidth > w + 1;
  {
    for (const e of document.querySelectorAll('main *')) {
      const r = e.getBoundingClientRect();
      if (r.right > w + 1 && !e.closest('mjx-assistive-mml') && ![...e.children].some((k) => k.getBoundingClientRect().right > w + 1)) {
        let hidden = false;
        for (let p = e.parentElement; p; p = p.parentElement) if (/auto|scroll|hidden/.test(getComputedStyle(p).overflowX) && p !== document.body && p !== document.documentElement) hidden = true;
        if (!hidden) out.push(e.tagName + '.' + e.className + ' ' + (e.textContent || '').trim().slice(0, 50) + ' ' + Math.round(r.right));
      }
      if (out.length > 2) break;
    }
    if (scrolls || out.length) return ['scrolls sideways: ' + document.documentElement.scrollWidth + ' of ' + w + ' ' + out.join(' | ')];
  }
  const main = document.querySelector('main').getBoundingClientRect();
  for (const e of document.querySelectorAll('main .math.display')) if (e.getBoundingClientRect().right > main.right + 1) out.push('a formula leaves the text: ' + e.textContent.slice(0, 50));
  return out;
};

async function look(c, name) {
  const page = await c.newPage();
  page.on('console', (m) => { if (m.type() === 'error' && !/net::ERR_FAILED|ERR_BLOCKED/.test(m.text())) say('console', name, m.text().slice(0, 200)); });
  page.on('pageerror', (e) => say('console', name, String(e).slice(0, 200)));
  page.on('response', (r) => { if (r.status() >= 400) say('dead', name, r.url().replace(cfg.url, '') + ' ' + r.status()); });
  await page.setViewportSize(WIDE);
  await open(page, name);
  for (const w of await page.evaluate(wide)) say('overflow', name, '1280: ' + w);
  const raw = await page.evaluate(() => [...document.querySelectorAll('mjx-merror, main .math:not(:has(mjx-container))')].slice(0, 3).map((e) => e.textContent.slice(0, 60)));
  for (const t of raw) say('console', name, 'a formula that is not drawn: ' + t);
  const cut = await page.evaluate(() => [...document.querySelectorAll('main .math.display')].filter((e) => e.scrollWidth > e.clientWidth + 1).map((e) => e.textContent.trim().slice(0, 60)));
  for (const t of cut) say('overflow', name, '1280: a formula is wider than the text: ' + t);
  if (cfg.shots) await shot(page, name, 1280);
  if (axe) {
    for (const dark of cfg.quarto ? [false, true] : [false]) {
      if (dark) await page.evaluate(() => window.quartoToggleColorScheme && window.quartoToggleColorScheme());
      if (dark) await page.waitForTimeout(300);
      await page.evaluate(axe);
      const found = await page.evaluate((only) => axe.run(document, { resultTypes: ['violations'], iframes: false, ...(only ? { runOnly: { type: 'rule', values: ['color-contrast'] } } : {}) }), dark);
      for (const v of found.violations) if (/critical|serious/.test(v.impact)) say('axe', name, `${dark ? 'dark: ' : ''}${v.id} (${v.nodes.length}): ${v.nodes[0].html.slice(0, 110)} ${(v.nodes[0].any[0] || {}).message || ''}`.slice(0, 330));
      if (dark) await page.evaluate(() => window.quartoToggleColorScheme && window.quartoToggleColorScheme());
    }
  }
  await page.setViewportSize(NARROW);
  await page.waitForTimeout(100);
  for (const w of await page.evaluate(wide)) say('overflow', name, '390: ' + w);
  if (cfg.shots) await shot(page, name, 390);
  await page.close();
}

// Pictures of a whole page in pieces of 8,000 pixels: a browser cannot draw much more at once
async function shot(page, name, width) {
  fs.mkdirSync(cfg.shots, { recursive: true });
  const height = await page.evaluate(() => document.documentElement.scrollHeight), start = name.replace(/\//g, '-').replace('.html', '') + '-' + width;
  for (let y = 0, k = 0; y < height; y += 8000, k++)
    await page.screenshot({ path: path.join(cfg.shots, `${start}-${k}.png`), fullPage: true, clip: { x: 0, y, width, height: Math.min(8000, height - y) }, timeout: 2 * PATIENCE }).catch(() => null);
}

// One thing that a reader does; what goes wrong is said
async function act(c, what, f) {
  const page = await c.newPage();
  page.setDefaultTimeout(PATIENCE);
  await page.setViewportSize(WIDE);
  try { const wrong = await f(page); if (wrong) say('act', what, String(wrong)); else say('fine', what, ''); }
  catch (e) { say('act', what, String(e).split('\n')[0]); }
  await page.close();
}

// The frame that a player shows: the place of its sheet of frames
const drawn = (p) => p.locator('.vp-stage img').evaluate((e) => e.style.left + ' ' + e.style.top);

async function player(page) {
  if (!cfg.player) return 'no page has one';
  await open(page, cfg.player);
  const p = page.locator('.vidgan-player').first(), slider = p.locator('input[type=range]'), button = p.locator('button');
  await p.scrollIntoViewIfNeeded();
  const last = await slider.inputValue(), end = await drawn(p);
  await slider.focus();
  await page.keyboard.press('Home');
  if (await slider.inputValue() !== '0') return 'Home does not show the first frame';
  if (await drawn(p) === end) return 'the picture does not follow the slider';
  await page.keyboard.press('ArrowRight');
  if (await slider.inputValue() !== '1') return 'the arrow key does not show the next frame';
  await button.focus();
  await page.keyboard.press('Enter');
  if (await button.textContent() !== 'Pause') return 'Enter on the button does not play';
  await button.click();
  if (await button.textContent() !== 'Play') return 'a click does not pause';
  const box = await slider.boundingBox();
  await page.mouse.click(box.x + box.width - 2, box.y + box.height / 2);
  if (await slider.inputValue() !== last) return 'a click on the slider does not show the last frame';
}

async function reader(browser) {
  const c = await context(browser);
  await c.grantPermissions(['clipboard-read', 'clipboard-write'], { origin: cfg.url.replace(/\/$/, '') });
  await act(c, 'player by keys and mouse', player);
  await act(c, 'a folded source', async (page) => {
    if (!cfg.folded) return 'no page has one';
    await open(page, cfg.folded);
    const d = page.locator('main details:not([open])').first();
    await d.locator('summary').focus();
    await page.keyboard.press('Enter');
    const opened = page.locator('main details[open]').first();
    if (!(await opened.count())) return 'Enter does not open it';
    const inside = opened.locator(':scope > :not(summary)').first();
    if (!(await inside.isVisible())) return 'it is open and shows nothing';
    await opened.locator('summary').first().click();
    if (await inside.isVisible()) return 'a click does not close it';
  });
  await act(c, 'keyboard reaches what scrolls', async (page) => {
    if (!cfg.equations) return 'no page has equations';
    await page.setViewportSize(NARROW);
    await open(page, cfg.equations);
    await page.waitForTimeout(300);
    const unreached = await page.evaluate(() => [...document.querySelectorAll('main .math.display, main pre, main table')].filter((e) => e.scrollWidth > e.clientWidth + 1 && /auto|scroll/.test(getComputedStyle(e).overflowX) && e.tabIndex < 0).length);
    if (unreached) return unreached + ' boxes scroll and cannot be reached';
  });
  await act(c, 'a tap on a picture, on a phone', async () => {
    if (!cfg.picture) return 'no page has one';
    const phone = await context(browser, { viewport: NARROW, hasTouch: true, isMobile: true, deviceScaleFactor: 2 });
    try {
      const page = await phone.newPage();
      page.setDefaultTimeout(PATIENCE);
      await open(page, cfg.picture);
      const picture = page.locator('main figure img:visible, main p > img:visible').first();
      const width = () => picture.evaluate((e) => Math.round(e.getBoundingClientRect().width));
      const small = await width();
      await picture.tap();
      const large = await width();
      if (large <= Math.max(small, NARROW.width)) return `it stays ${large} pixels wide`;
      const moved = await picture.evaluate((e) => { const box = e.parentNode; box.scrollLeft = 9999; return [box.scrollLeft, document.documentElement.scrollWidth]; });
      if (!moved[0]) return 'what is beyond the screen cannot be reached';
      if (moved[1] > NARROW.width + 1) return `the page becomes ${moved[1]} pixels wide`;
      await picture.tap();
      if (await width() !== small) return 'another tap does not make it small again';
    } finally { await phone.close(); }
  });
  if (!cfg.quarto) return c.close();
  await act(c, 'sidebar', async (page) => {
    await open(page, 'wgan.html');
    const link = page.locator('#quarto-sidebar a.sidebar-link[href$="vdb.html"]').first();
    if (!(await link.isVisible())) return 'the link to the next chapter is not seen';
    await link.click();
    await page.waitForURL('**/vdb.html');
  });
  await act(c, 'search by hand', async (page) => {
    await open(page, 'wgan.html');
    const tried = page.locator('#quarto-search button, #quarto-search .aa-DetachedSearchButton').first();
    if (await tried.count()) await tried.click();
    await page.locator('input.aa-Input').first().fill('WGANGP');
    const first = page.locator('.aa-Item a').first();
    await first.waitFor();
    const wrong = [];
    for (const [q, pages] of Object.entries(cfg.queries)) {
      await page.locator('input.aa-Input').first().fill('');
      await page.locator('input.aa-Input').first().fill(q);
      const right = (href) => pages.includes(new URL(href, page.url()).pathname.slice(1));
      let href = '';
      for (const end = Date.now() + PATIENCE / 6; Date.now() < end;) {
        await page.waitForTimeout(100);
        href = await page.evaluate(() => (document.querySelector('.aa-Item a') || { getAttribute: () => '' }).getAttribute('href'));
        if (href && right(href)) break;
      }
      if (!href || !right(href)) wrong.push(`${q}: the first result is ${href || 'none'}, not on ${pages[0]}`);
    }
    return wrong.join('; ');
  });
  await act(c, 'dark, and its memory', async (page) => {
    await open(page, 'wgan.html');
    await page.locator('.quarto-color-scheme-toggle').first().click();
    if (!(await page.evaluate(() => document.body.classList.contains('quarto-dark')))) return 'the toggle does not make it dark';
    await open(page, 'vdb.html');
    if (!(await page.evaluate(() => document.body.classList.contains('quarto-dark')))) return 'the next page is not dark';
    await page.locator('.quarto-color-scheme-toggle').first().click();
    if (await page.evaluate(() => document.body.classList.contains('quarto-dark'))) return 'the toggle does not make it light again';
  });
  await act(c, 'copy', async (page) => {
    await open(page, 'wgan.html');
    await page.locator('.sourceCode').locator('visible=true').first().hover();
    await page.locator('.code-copy-button').locator('visible=true').first().click();
    await page.waitForTimeout(200);
    const got = await page.evaluate(() => navigator.clipboard.readText());
    const code = await page.locator('.sourceCode pre').locator('visible=true').first().innerText();
    const flat = (s) => s.replace(/\s+/g, '');
    if (!got.trim()) return 'nothing was copied';
    if (flat(got) !== flat(code)) return 'the clipboard has other text than the block: ' + got.slice(0, 40);
  });
  await act(c, 'next page', async (page) => {
    await open(page, 'wgan.html');
    await page.locator('.nav-page-next a').first().click();
    await page.waitForURL((u) => !/wgan\.html/.test(u.pathname));
  });
  await act(c, 'menu on a phone', async (page) => {
    await page.setViewportSize(NARROW);
    await open(page, 'wgan.html');
    await page.locator('.quarto-secondary-nav button').locator('visible=true').first().click();
    const link = page.locator('#quarto-sidebar a.sidebar-link[href$="vdb.html"]').first();
    await link.waitFor({ timeout: PATIENCE / 3 }).catch(() => null);
    if (!(await link.isVisible())) return 'the menu shows no page';
    await link.click();
    await page.waitForURL('**/vdb.html');
    await page.waitForTimeout(300);
    if (await page.locator('#quarto-sidebar a.sidebar-link[href$="wgan.html"]').first().isVisible()) return 'the menu stays open on the page that was chosen';
  });
  await act(c, 'Open in Colab', async (page) => {
    await open(page, 'wgan.html');
    const n = await page.locator('a[href*="colab.research.google.com"][href$="10_wgan.ipynb"]').count();
    if (!n) return 'no link';
  });
  await act(c, 'a wrong address', async (page) => {
    await open(page, '404.html');
    if (!(await page.locator('h1').first().textContent()).match(/not here/)) return 'no page of our own';
  });
  await c.close();
}

(async () => {
  const browser = await chromium.launch({ executablePath: cfg.chromium, args: ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage'] });
  const todo = [...cfg.pages];
  async function worker() {
    const c = await context(browser);
    while (todo.length) {
      const name = todo.shift();
      try { await look(c, name); } catch (e) { say('act', name, String(e).split('\n')[0]); }
    }
    await c.close();
  }
  await reader(browser);
  await Promise.all([worker(), worker()]);
  await browser.close();
  if (cfg.fuse) {
    const Fuse = require(path.join(cfg.fuse, 'dist', 'fuse.common.js'));
    const fuse = new Fuse([], { keys: [{ name: 'title', weight: 20 }, { name: 'section', weight: 20 }, { name: 'text', weight: 10 }], ignoreLocation: true, threshold: 0.1 });
    for (const d of JSON.parse(fs.readFileSync(cfg.index, 'utf8'))) fuse.add(d);
    for (const [q, pages] of Object.entries(cfg.queries)) {
      const found = fuse.search(q, { isCaseSensitive: false, shouldSort: true, minMatchCharLength: 2, limit: 20 }).map((r) => r.item.href.split('#')[0]);
      say(pages.includes(found[0]) ? 'found' : 'lost', q, `${pages[0]} ${found.indexOf(pages[0]) + 1}, first ${found[0]}`);
    }
  }
  say('done', '', '');
})();
