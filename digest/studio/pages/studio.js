// The studio's page. The server says what is true (`/view`), the address says what is looked at,
// and this file draws the one for the other. Nothing here is built, and nothing is fetched elsewhere.

const $ = id => document.getElementById(id);
const VIEWS = { mail: 'Mail', text: 'Text', source: 'Source' };
const WIDTHS = { 375: '375', 600: '600', full: 'Full' };
const SCHEMES = { light: 'Light', dark: 'Dark', forced: 'Forced' };
const SOURCES = { mjml: 'MJML', html: 'HTML', eml: 'Message' };
const DEFAULTS = { as: '', issue: '', drafts: '', view: 'mail', width: '600', scheme: 'light', images: 'on', panel: 'stories', source: 'mjml' };

const state = { ...DEFAULTS };
let told = null;      // the last good answer of /view
let version = 0;      // of what was saved
let asked = 0;        // numbers the questions, so that a late answer is dropped
const MANY = 20000;   // readers that are not counted anew by every save, but when somebody asks
let recounts = 0;
const later = {};     // answers that take longer, by path: { wanted, data }

// --- drawing ---------------------------------------------------------------------------------

// An element: h('a', {href}, 'words', element, …). Text is never parsed as HTML.
function h(tag, props = {}, ...inside) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (value === undefined || value === false) continue;
    if (name.startsWith('on')) element.addEventListener(name.slice(2), value);
    else if (name === 'style') for (const [key, v] of Object.entries(value)) element.style.setProperty(key, v);
    else element.setAttribute(name, value === true ? '' : value);
  }
  element.append(...inside.flat(9).filter(one => one || one === 0));
  return element;
}

// Draws anew and keeps the keyboard where it was.
function paint(element, ...inside) {
  const key = element.contains(document.activeElement) && document.activeElement.dataset.key;
  element.replaceChildren(...inside.flat(9).filter(Boolean));
  if (key) element.querySelector(`[data-key="${CSS.escape(key)}"]`)?.focus({ preventScroll: true });
}

const kB = bytes => `${(bytes / 1000).toFixed(bytes < 9950 ? 1 : 0)} kB`;
const count = (n, one, many = `${one}s`) => `${n.toLocaleString('en')} ${n === 1 ? one : many}`;
const day = (text, options = { day: 'numeric', month: 'long', year: 'numeric' }) =>
  new Date(text).toLocaleDateString('en-GB', { timeZone: told?.zone, ...options });
const say = text => { $('said').textContent = text; };

let toastTimer = 0;
function toast(...inside) {
  paint($('toast'), ...inside.map(one => typeof one === 'string' ? h('span', {}, one) : one));
  $('toast').hidden = false;
  clearTimeout(toastTimer);
  toastTimer = setTimeout(() => { $('toast').hidden = true; }, 6000);
}

function copy(text) {
  navigator.clipboard?.writeText(text).then(() => toast(`Copied ${text.length < 80 ? text : count(text.length, 'character')}`));
}

// --- the address -----------------------------------------------------------------------------

function read() {
  const query = new URLSearchParams(location.search);
  for (const [name, value] of Object.entries(DEFAULTS)) state[name] = query.get(name) ?? value;
  if (!VIEWS[state.view]) state.view = 'mail';
  if (!WIDTHS[state.width]) state.width = '600';
  if (!SCHEMES[state.scheme]) state.scheme = 'light';
  if (!SOURCES[state.source]) state.source = 'mjml';
  if (!PANELS[state.panel]) state.panel = 'stories';
}

function query(...names) {
  const pairs = names.filter(name => state[name] !== DEFAULTS[name]).map(name => [name, state[name]]);
  return new URLSearchParams(pairs).toString();
}
const lookQuery = () => query('as', 'issue', 'drafts');

// Changes the state and the address; what is another edition can be gone back from.
function go(changes) {
  const other = ['as', 'issue', 'drafts'].some(name => name in changes && changes[name] !== state[name]);
  Object.assign(state, changes);
  const address = `?${query(...Object.keys(DEFAULTS))}`;
  history[other ? 'pushState' : 'replaceState'](null, '', address);
  other ? refresh() : draw();
}

// --- asking ----------------------------------------------------------------------------------

async function refresh(saved = []) {
  const mine = ++asked;
  document.body.classList.add('busy');
  try {
    const answer = await fetch(`/view?${lookQuery()}`);
    const data = await answer.json().catch(() => ({ error: { message: 'The studio failed.', hint: 'The terminal says why.' } }));
    if (mine !== asked) return;
    alive(true);
    if (data.error) return problem(data.error);
    told = data;
    keepReader();
    version = data.version;
    draw();
    if (saved.length) say(`Saved ${saved.join(', ')}. ${told.mail ? told.mail.inbox.subject : 'Nothing for this reader'}`);
  } catch {
    if (mine === asked) alive(false);
  } finally {
    if (mine === asked) document.body.classList.remove('busy', 'loading');
  }
}

// An old bookmark may name a persona or an edition that is gone: the address follows what is shown.
function keepReader() {
  if (!state.as || state.as === told.role.key) return;
  toast(`There is no reader ${state.as.replace(/^edition:/, '')} here: this is ${told.role.name}.`);
  state.as = told.role.key;
  history.replaceState(null, '', `?${query(...Object.keys(DEFAULTS))}`);
}

// What cannot be shown, over the last good mail.
function problem(error) {
  const place = error.path ? `${error.path}${error.line ? `:${error.line}` : ''}` : '';
  paint($('problem'),
    place && h('button', { class: 'place', 'data-key': 'place', title: 'Copy', onclick: () => copy(place) }, place),
    h('p', {}, h('strong', {}, error.message)),
    error.hint && h('p', {}, error.hint),
    told?.mail && h('p', { class: 'still' }, 'Below is the last good rendering.'));
  $('device').hidden = !told?.mail || state.view !== 'mail';
  $('problem').hidden = false;
  document.body.classList.add(told ? 'stale' : 'blank');
}

// A post that cannot be read is left out of the mail, and said above it.
function drawProblems() {
  const { problems } = told;
  $('problem').hidden = problems.length === 0;
  paint($('problem'), problems.slice(0, 3).map(one => [place(one.line ? `${one.path}:${one.line}` : one.path), h('p', {}, h('strong', {}, one.message)), one.fix && h('p', {}, one.fix)]),
    h('p', { class: 'still' }, problems.length > 3 ? `And ${problems.length - 3} more. ` : '', 'What cannot be read is in no mail.'));
}

function alive(is) {
  $('live').className = is ? 'live on' : 'live off';
  $('live-text').textContent = is ? 'live' : 'stopped';
}

// One page holds the stream of saves and tells the others, until it is closed and the next one does:
// a browser has six connections to a host, and a seventh page with a stream of its own never loads.
function listen() {
  const pages = new BroadcastChannel('saves');
  pages.onmessage = event => hear(event.data);
  const tell = news => { hear(news); pages.postMessage(news); };
  navigator.locks.request('saves', () => new Promise(() => {
    const events = new EventSource('/events');
    events.onerror = () => tell({ stopped: true });
    events.onmessage = event => tell(JSON.parse(event.data));
  }));
}

// A studio that was stopped and is back counts its versions anew.
function hear(news) {
  const back = $('live').className === 'live off';
  alive(!news.stopped);
  if (!news.stopped && (back || news.version !== version)) refresh(news.saved);
}

// --- the whole page --------------------------------------------------------------------------

function draw() {
  if (!told) return;
  const { mail, issue, role } = told;
  document.body.classList.remove('stale', 'blank');
  document.title = `${mail ? mail.inbox.subject : role.name} – ${told.newsletter}`;
  $('newsletter').textContent = told.newsletter;
  paint($('issue'), h('strong', {}, day(issue.due)), h('span', {}, `${issue.cadence}${issue.open ? ', still open' : issue.future ? ', to come' : ''}`));
  drawTools();
  drawTime();
  drawCast();
  drawInbox();
  drawStage();
  drawPanels();
  drawProblems();
}

function segment(id, choices, current, choose, hints = {}) {
  const box = $(id);
  paint(box, box.querySelector('legend'), Object.entries(choices).map(([value, words]) =>
    h('button', { 'data-key': `${id}-${value}`, 'aria-pressed': String(value === current), title: hints[value], onclick: () => choose(value) }, words)));
}

function drawTools() {
  segment('view', VIEWS, state.view, view => go({ view }), { text: 'Text  t', source: 'Source  s' });
  segment('width', WIDTHS, state.width, width => go({ width, view: 'mail' }), { 375: 'Phone  1', 600: 'Desktop  2', full: 'As wide as there is room  3' });
  segment('scheme', SCHEMES, state.scheme, scheme => go({ scheme, view: 'mail' }), { light: 'Light  d', dark: 'Dark, by the mail’s own style  d', forced: 'Inverted by the mail program, approximately  d' });
  $('images').setAttribute('aria-pressed', String(state.images !== 'on'));
  $('drafts').setAttribute('aria-pressed', String(state.drafts === '1'));
  $('send').disabled = !told.mail;
}

function drawTime() {
  const { calendar, issue } = told;
  const at = calendar.findIndex(one => one.id === issue.id);
  const most = Math.max(1, ...calendar.map(one => one.posts));
  paint($('bars'), calendar.map((one, place) => h('i', {
    class: `${one.when}${place === at ? ' here' : ''}`, title: `${one.id}: ${count(one.posts, 'post')}`,
    style: { height: `${one.posts ? 14 + 86 * one.posts / most : 5}%` } })));
  $('track').style.setProperty('--issues', calendar.length);
  const range = $('time');
  range.max = calendar.length - 1;
  range.value = at;
  range.setAttribute('aria-valuetext', `${day(issue.due)}, ${count(calendar[at]?.posts ?? 0, 'post')}`);
  $('earlier').disabled = at <= 0;
  $('later').disabled = at < 0 || at >= calendar.length - 1;
}

function drawCast() {
  const own = told.roles.some(one => one.key === told.role.key) ? [] : [told.role];
  const everyone = [...told.roles, ...own];
  paint($('as'), everyone.map(one => h('option', { value: one.key, selected: one.key === told.role.key }, one.name)));
  $('as').value = told.role.key;
  paint($('roles'), everyone.map(one => h('li', { class: one.edge ? 'edge' : '' }, roleButton(one))));
  drawEditions();
}

function roleButton(one, readers) {
  const facts = one.stories ? `${count(one.stories, 'story', 'stories')} · ${kB(one.bytes)}` : 'gets nothing';
  return h('button', { 'data-key': `role-${one.key}`, class: 'role', 'aria-current': one.key === told.role.key ? 'true' : undefined, onclick: () => go({ as: one.key }) },
    h('strong', {}, one.name), h('span', { class: 'facts' }, readers ?? facts), one.about !== one.name && h('span', { class: 'about' }, one.about));
}

// Asks for what takes longer once per `wanted`, and draws again when it is there; the answer that
// is known by now, which may be of before.
function slowly(path, wanted) {
  const known = later[path] ??= {};
  if (known.wanted !== wanted) {
    known.wanted = wanted;
    fetch(`${path}?${lookQuery()}`).then(one => one.json()).then(data => {
      if (known.wanted !== wanted) return;
      if (data.error) throw data.error;
      known.data = data;
      drawEditions();
      drawPanels();
    }).catch(() => {  // the next drawing asks again
      if (known.wanted === wanted) known.wanted = undefined;
    });
  }
  return known.data;
}

function drawEditions() {
  if (!told.readers) {
    return paint($('editions'), h('p', { class: 'hint' }, 'Start with ', h('code', {}, '--with-subscribers'), ' to see how many readers each edition has.'));
  }
  const many = later['/editions']?.data?.readers > MANY;
  const counted = slowly('/editions', `${many ? recounts : told.version} ${told.issue.id} ${state.drafts}`);
  $('editions-title').hidden = false;
  $('editions-title').textContent = counted ? `${count(counted.editions.length, 'edition')}, ${count(counted.readers, 'reader')}` : 'Counting readers';
  if (counted) paint($('editions'), many && h('button', { class: 'tool', 'data-key': 'recount', onclick: () => { recounts++; drawEditions(); } }, 'Count again'), h('ul', { class: 'roles' }, counted.editions.slice(0, 100).map(one =>
    h('li', {}, roleButton({ ...one, name: one.about, about: `${count(one.stories, 'story', 'stories')} · ${kB(one.bytes)} · ${one.language}` }, count(one.readers, 'reader'))))));
}

function drawInbox() {
  const { mail } = told;
  $('inbox').hidden = !mail;
  if (mail) paint($('inbox'), inboxLine(mail.inbox, state.scheme === 'light' ? 'light' : 'dark'));
}

function inboxLine(inbox, scheme, name = '') {
  return h('div', { class: `line ${scheme} ${name}` },
    h('span', { class: 'face', 'aria-hidden': 'true' }, inbox.from.trim()[0] ?? '?'),
    h('span', { class: 'from' }, inbox.from),
    h('span', { class: 'when' }, day(told.issue.due, { day: 'numeric', month: 'short' })),
    h('span', { class: 'what' }, h('b', { class: 'subject' }, inbox.subject), h('span', { class: 'preheader' }, inbox.preheader)));
}

// --- the mail --------------------------------------------------------------------------------

let [front, back] = document.querySelectorAll('#device iframe');
let framed = '';

function drawStage() {
  const { mail } = told;
  $('device').hidden = !mail || state.view !== 'mail';
  $('reading').hidden = !mail || state.view === 'mail';
  $('nothing').hidden = Boolean(mail);
  $('device').className = `device w${state.width}`;
  $('stage').className = `stage ${state.scheme}`;
  if (!mail) return drawNothing();
  state.view === 'mail' ? drawMail() : drawReading();
}

// The new mail loads behind the old one and takes its place when it is whole: nothing flickers,
// and the stage stays scrolled where it was.
function drawMail() {
  const wanted = `/mail?${query('as', 'issue', 'drafts', 'images', 'scheme')}&v=${version}`;
  if (wanted === framed) return fit();
  framed = wanted;
  const frame = back;
  frame.onload = () => {
    if (framed !== wanted || frame.contentWindow.location.pathname !== '/mail') return;
    frame.onload = null;
    [front, back] = [frame, front];
    front.removeAttribute('aria-hidden');
    front.removeAttribute('tabindex');
    front.title = 'The mail';
    back.setAttribute('aria-hidden', 'true');
    back.tabIndex = -1;
    back.title = 'The mail before';
    front.classList.add('front');
    back.classList.remove('front');
    if (state.scheme === 'forced') invert(front.contentDocument);
    front.contentDocument.addEventListener('click', follow);
    front.contentDocument.addEventListener('keydown', onKey);
    fit();
    document.body.dataset.shown = `${version} ${state.scheme} ${told.role.key}`;
  };
  frame.contentWindow.location.replace(wanted);
}

// As high as its content, so that the stage scrolls and not the frame.
function fit() {
  const body = front.contentDocument?.body;
  if (!body) return;
  const scrolled = scroller(), top = scrolled.scrollTop;
  front.style.height = '0';
  front.style.height = `${Math.max(200, body.ownerDocument.documentElement.scrollHeight)}px`;
  scrolled.scrollTop = top;
}

// A link of the mail is told, not followed: nothing is asked of anybody until you say so.
function follow(event) {
  const link = event.target.closest?.('a[href]');
  if (!link) return;
  event.preventDefault();
  const url = link.getAttribute('href');
  toast(h('code', {}, url), h('button', { onclick: () => copy(url) }, 'Copy'),
    /^https?:/.test(url) ? h('a', { href: url, target: '_blank', rel: 'noopener noreferrer' }, 'Open') : '');
}

function showStory(title) {
  const headings = front.contentDocument?.querySelectorAll('h2, h3') ?? [];
  const found = [...headings].find(one => one.textContent.trim() === title);
  if (!found) return;
  if (state.view !== 'mail') go({ view: 'mail' });
  const top = found.getBoundingClientRect().top + front.getBoundingClientRect().top;
  scroller().scrollBy({ top: top - 120, behavior: matchMedia('(prefers-reduced-motion: reduce)').matches ? 'auto' : 'smooth' });
}
const scroller = () => getComputedStyle($('stage')).overflowY === 'visible' ? document.scrollingElement : $('stage');

// What a mail program does that inverts light mails by itself, by the formula of react-email and
// Maizzle: light backgrounds get dark, dark words light, everything paler. An approximation.
function invert(page) {
  const colour = page.createElement('canvas').getContext('2d', { willReadFrequently: true });
  const rgba = text => {
    colour.clearRect(0, 0, 1, 1);
    colour.fillStyle = text;
    colour.fillRect(0, 0, 1, 1);
    return [...colour.getImageData(0, 0, 1, 1).data];
  };
  const wanted = [];
  for (const element of [page.documentElement, ...page.querySelectorAll('body, body *')]) {
    const style = page.defaultView.getComputedStyle(element);
    wanted.push([element, 'color', dimmed(rgba(style.color), false)]);
    wanted.push([element, 'border-color', dimmed(rgba(style.borderTopColor), true)]);
    const behind = rgba(style.backgroundColor);
    if (behind[3]) wanted.push([element, 'background-color', dimmed(behind, true)]);
  }
  const root = page.defaultView.getComputedStyle(page.body).backgroundColor;
  if (!rgba(root)[3]) wanted.push([page.body, 'background-color', dimmed([255, 255, 255, 255], true)]);
  const item = page.querySelector('li');
  if (item) {  // its number is in no element
    const number = rgba(page.defaultView.getComputedStyle(item, '::marker').color);
    page.head.append(h('style', {}, `li::marker{color:${dimmed(number, false)}!important}`));
  }
  for (const [element, name, value] of wanted) element.style.setProperty(name, value, 'important');
}

function dimmed([r, g, b, a], background) {
  const [l, x, y] = toLab(r, g, b);
  const light = background ? (l >= 50 ? 50 - (l - 50) * 0.75 : l) : (l < 50 ? 50 - (l - 50) * 0.75 : l);
  return `lab(${light} ${x * 0.8} ${y * 0.8} / ${a / 255})`;
}

function toLab(...rgb) {
  const [r, g, b] = rgb.map(c => c / 255).map(c => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
  const xyz = [(0.4361 * r + 0.3851 * g + 0.1431 * b) / 0.9643, 0.2225 * r + 0.7169 * g + 0.0606 * b, (0.0139 * r + 0.0971 * g + 0.7141 * b) / 0.8251];
  const [x, y, z] = xyz.map(v => v > 0.008856 ? Math.cbrt(v) : 7.787 * v + 16 / 116);
  return [116 * y - 16, 500 * (x - y), 200 * (y - z)];
}

async function drawReading() {
  const format = state.view === 'text' ? 'text' : state.source;
  const wanted = `/source?${lookQuery()}&format=${format}&v=${version}`;
  const box = $('reading');
  if (box.dataset.wanted === wanted) return;
  box.dataset.wanted = wanted;
  const text = await fetch(wanted).then(one => one.text());
  if (box.dataset.wanted !== wanted) return;
  const kinds = h('div', { class: 'seg', role: 'group', 'aria-label': 'Source' }, Object.entries(SOURCES).map(([value, words]) =>
    h('button', { 'data-key': `source-${value}`, 'aria-pressed': String(value === format), onclick: () => go({ source: value }) }, words)));
  paint(box, h('div', { class: 'row' }, state.view === 'source' && kinds,
    h('span', { class: 'facts' }, `${count(text.split('\n').length, 'line')} · ${kB(new Blob([text]).size)}`),
    h('button', { class: 'tool', 'data-key': 'copy', onclick: () => copy(text) }, 'Copy')),
    h('pre', { tabindex: '0', 'aria-label': state.view === 'text' ? 'The mail as text' : SOURCES[format], class: format }, coloured(text, format)));
  document.body.dataset.read = `${version} ${format}`;
}

// Tags in another colour, comments paler.
function coloured(text, format) {
  if (format !== 'mjml' && format !== 'html') return text;
  return text.split(/(<!--[^]*?-->|<[^>]*>)/).map(one => one[0] !== '<' ? one : h('span', { class: one.startsWith('<!--') ? 'aside' : 'tag' }, one));
}

function drawNothing() {
  const { role, stories, calendar } = told;
  const reasons = Object.entries(Object.groupBy?.(stories.out, one => one.why) ?? {});
  const full = calendar.findLast(one => one.posts);
  framed = '';
  paint($('nothing'), h('h2', {}, !stories.out.length ? 'Nothing to send yet' : role.key === 'nobody' ? 'Who follows nothing gets nothing' : `Nothing for ${role.name} in this issue`),
    h('p', {}, stories.out.length ? 'No mail is made, and none is sent. The stories of this window are out for this reader:' : 'There is no story in this window yet. Write one and it shows up here.'),
    reasons.length > 0 && h('ul', {}, reasons.map(([why, ones]) => h('li', {}, `${count(ones.length, 'story', 'stories')}: ${why}`))),
    h('div', { class: 'row' }, stories.out.length > 0 && h('button', { class: 'go', onclick: () => go({ as: 'tags:*' }) }, 'Look as everything'),
      full && full.id !== told.issue.id && h('button', { class: 'plain', onclick: () => go({ issue: full.id }) }, `Go to ${full.id}`)));
}

// --- the panels ------------------------------------------------------------------------------

const place = text => h('button', { class: 'place', 'data-key': text, title: 'Copy', onclick: () => copy(text) }, text);
const mark = verdict => h('span', { class: `mark ${verdict}`, 'aria-label': { ok: 'good', look: 'look at this', wrong: 'wrong', error: 'error', warning: 'warning', info: 'hint' }[verdict] ?? '', role: 'img' });
const none = text => h('p', { class: 'hint' }, text);

const PANELS = {
  stories: { name: 'Stories', count: () => `${told.stories.in.length}/${told.stories.in.length + told.stories.out.length}`, draw: drawStories },
  checks: { name: 'Checks', count: () => serious(findings()).length || '', bad: () => findings().some(one => one.severity === 'error'), draw: drawChecks },
  inbox: { name: 'Inbox', draw: drawClientsInbox },
  size: { name: 'Size', count: () => told.mail ? kB(told.mail.size.html) : '', draw: drawSize },
  links: { name: 'Links', count: () => told.mail?.links.length ?? '', draw: drawLinks },
  headers: { name: 'Headers', draw: drawHeaders, bad: () => told.mail?.headers.some(one => one.verdict === 'wrong') },
  clients: { name: 'Clients', draw: drawClients, bad: () => told.mail?.clients.clients.some(one => one.verdict === 'broken') },
  changes: { name: 'Changes', draw: drawChanges },
};

function drawPanels() {
  paint($('tabs'), Object.entries(PANELS).map(([key, one]) => h('button', {
    role: 'tab', id: `tab-${key}`, 'data-key': `tab-${key}`, 'aria-selected': String(key === state.panel), 'aria-controls': 'panel',
    tabindex: key === state.panel ? '0' : '-1', class: one.bad?.() ? 'bad' : '', onclick: () => go({ panel: key }) },
    one.name, one.count && h('span', { class: 'count' }, String(one.count())))));
  $('panel').setAttribute('aria-labelledby', `tab-${state.panel}`);
  const panel = PANELS[state.panel];
  const needsMail = !['stories', 'checks'].includes(state.panel);
  paint($('panel'), needsMail && !told.mail ? none('There is no mail for this reader.') : panel.draw());
}

function drawStories() {
  const { stories } = told;
  const heaviest = Math.max(1, ...stories.in.map(one => one.bytes));
  const facts = one => [`${one.minutes} min`, one.language, one.pinned && 'pinned', one.draft && 'draft'].filter(Boolean).join(' · ');
  return [
    h('h2', {}, `In, ${stories.in.length}`),
    stories.in.length ? h('ol', { class: 'stories' }, stories.in.map(one => h('li', {},
      h('button', { class: 'title', 'data-key': `story-${one.id}`, onclick: () => showStory(one.title) }, one.title),
      h('p', { class: 'facts' }, h('span', { class: 'why in' }, one.why), ` · ${facts(one)} · ${kB(one.bytes)}`), place(one.place),
      h('span', { class: 'weight', style: { width: `${100 * one.bytes / heaviest}%` } })))) : none('No story is in.'),
    h('h2', {}, `Out, ${stories.out.length}`),
    stories.out.length ? h('ul', { class: 'stories' }, stories.out.map(one => h('li', {},
      h('p', { class: 'title' }, one.title), h('p', { class: 'why out' }, one.why),
      h('p', { class: 'facts' }, [one.tags.map(tag => `#${tag}`).join(' '), facts(one)].filter(Boolean).join(' · ')), place(one.place)))) : none('Nothing is out.'),
  ];
}

const findings = () => slowly('/checks', `${told.version} ${lookQuery()}`)?.findings ?? told.problems;
const serious = ones => ones.filter(one => one.severity !== 'info');

function drawChecks() {
  const { whole, rules = {} } = later['/checks']?.data ?? {};
  const all = findings();
  const hints = all.filter(one => one.severity === 'info');
  const shown = ones => h('ul', { class: 'findings' }, ones.map(one => h('li', { class: one.severity }, mark(one.severity),
    h('p', {}, one.message), one.fix && h('p', { class: 'fix' }, one.fix), place(one.line ? `${one.path}:${one.line}` : one.path),
    h('details', {}, h('summary', {}, h('code', {}, one.check)), rules[one.check]?.title && h('p', {}, rules[one.check].title), rules[one.check]?.why && h('p', { class: 'facts' }, rules[one.check].why)))));
  return [
    whole === undefined ? none('Looking…') : serious(all).length === 0 && h('p', { class: 'good' }, mark('ok'), 'Nothing is wrong in posts, templates and editions.'),
    shown(serious(all)),
    hints.length > 0 && h('details', {}, h('summary', { class: 'hint' }, count(hints.length, 'hint')), shown(hints)),
    whole === false && none('Of the posts in this window. For the whole folder: digest check'),
  ];
}

function drawClientsInbox() {
  const { inbox } = told.mail;
  const kinds = { gmail: 'One line, like Gmail', apple: 'Four lines, like a telephone', outlook: 'Three lines, like Outlook' };
  return [
    h('p', { class: 'facts' }, `Subject ${count([...inbox.subject].length, 'character')}, preheader ${[...inbox.preheader].length}. Phones cut a subject at about 40.`),
    Object.entries(kinds).map(([kind, name]) => [h('h2', {}, name), ['light', 'dark'].map(scheme => inboxLine(inbox, scheme, kind))]),
    h('h2', {}, 'Sender'), h('p', { class: 'facts' }, `${inbox.from} <${inbox.address}>`),
  ];
}

function drawSize() {
  const { size } = told.mail;
  const share = 100 * size.html / size.limit;
  const level = share > 100 ? 'wrong' : share > 80 ? 'look' : 'ok';
  return [
    h('p', { class: 'big' }, kB(size.html), h('small', {}, ` of ${kB(size.limit)} before Gmail clips`)),
    h('div', { class: `gauge ${level}`, role: 'img', 'aria-label': `${share.toFixed(0)} % of Gmail’s limit` },
      size.parts.map((part, n) => h('i', { class: n % 2 ? 'odd' : '', title: `${part.name}: ${kB(part.bytes)}`, style: { width: `${100 * part.bytes / Math.max(size.limit, size.html)}%` } }))),
    h('table', {}, h('caption', { class: 'unseen' }, 'Bytes by part'),
      h('thead', {}, h('tr', {}, h('th', { scope: 'col' }, 'Part of the HTML'), h('th', { scope: 'col' }, 'Size'))),
      h('tbody', {}, size.parts.map(part => h('tr', {}, h('td', {}, part.name), h('td', { class: 'number' }, kB(part.bytes)))))),
    h('p', { class: 'facts' }, `Text part ${kB(size.text)}. The whole message ${kB(size.message)} on the wire.`),
  ];
}

function drawLinks() {
  const { links } = told.mail;
  const hosts = new Set(links.map(one => one.host));
  return [h('p', { class: 'facts' }, `${count(links.length, 'link')} to ${count(hosts.size, 'host')}. None was asked for.${told.mail.counted ? ' Here they lead straight there; those of a mail from the store lead through your pages, which count them without a reader.' : ''}`),
    h('ol', { class: 'links' }, links.map((one, n) => h('li', {},
      h('p', { class: 'title' }, one.text || '(no words)'), one.note && h('p', { class: 'fix' }, mark('look'), one.note),
      h('button', { class: 'place', 'data-key': `link-${n}`, title: 'Copy', onclick: () => copy(one.url) }, one.url))))];
}

function drawHeaders() {
  return h('dl', { class: 'headers' }, told.mail.headers.map(one => h('div', {},
    h('dt', {}, one.verdict && mark(one.verdict), one.name), h('dd', {}, one.value ? h('code', {}, one.value) : h('em', {}, 'missing'), one.note && h('p', { class: 'facts' }, one.note)))));
}

// `words` in a note of caniemail are code.
const coded = text => text.split('`').map((words, n) => n % 2 ? h('code', {}, words) : words);

function drawClients() {
  const { clients, updated, source } = told.mail.clients;
  const answers = (name, ones) => ones.length > 0 && [h('h3', {}, name), h('ul', {}, ones.map(one => h('li', {}, one.title,
    h('p', { class: 'facts' }, coded([one.note, `tested ${one.tested}`].filter(Boolean).join(' · '))))))];
  return [
    h('p', { class: 'facts' }, `What each program leaves out of this mail, and whether a reader misses it. Guidance, not a screenshot: ${source}, data of ${day(updated)}.`),
    h('ul', { class: 'clients' }, clients.map(one => h('li', {}, h('details', {},
      h('summary', { 'data-key': `client-${one.name}` }, mark(one.verdict === 'broken' ? 'wrong' : 'ok'), h('strong', {}, one.name), h('span', { class: 'facts' }, one.verdict), one.says && h('span', { class: 'says' }, one.says)),
      answers('Broken', one.missed), answers('Left out, and nobody misses it', one.graceful), answers('In part', one.partial))))),
  ];
}

function drawChanges() {
  const changes = slowly('/changes', `${told.version} ${lookQuery()}`);
  if (!changes) return none('Looking…');
  const diff = lines => h('pre', { class: 'diff', tabindex: '0', 'aria-label': 'Differences' }, lines.map(one => h('span', { class: one.kind },
    one.kind === 'gap' ? '⋯' : `${{ new: '+', old: '−', same: ' ' }[one.kind]} ${one.text}`)));
  return [
    h('h2', {}, 'By the last save'),
    changes.saved.length ? diff(changes.saved) : none('Save a post or a template, and what it changed in this mail is here.'),
    h('h2', {}, changes.issue ? `Since ${changes.issue}` : 'Since the last issue'),
    !changes.issue ? none('This reader got nothing of the issue before.') : [
      none('Both are laid out with the posts, templates and settings of today: what changed in those since then is not among this.'),
      h('table', {}, h('thead', {}, h('tr', {}, h('th', { scope: 'col' }, ''), h('th', { scope: 'col' }, 'Then'), h('th', { scope: 'col' }, 'Now'))),
        h('tbody', {}, changes.facts.map(one => h('tr', { class: one.before === one.after ? '' : 'moved' }, h('th', { scope: 'row' }, one.name), h('td', {}, one.before), h('td', {}, one.after))))),
      h('h3', {}, 'Around the stories'),
      changes.frame.length ? diff(changes.frame) : none('The same, to the letter.')],
  ];
}

// --- commands and keys -----------------------------------------------------------------------

const cycle = (choices, current, step = 1) => {
  const keys = Object.keys(choices);
  return keys[(keys.indexOf(current) + step + keys.length) % keys.length];
};
function stepRole(step) {
  const keys = told.roles.map(one => one.key);
  go({ as: keys[(Math.max(0, keys.indexOf(told.role.key)) + step + keys.length) % keys.length] });
}
// Where there is room for one column the panels are beneath the mail.
function showPanels() {
  if (getComputedStyle($('stage')).overflowY === 'visible') $('panels').scrollIntoView();
}
function openPanel(panel) {
  go({ panel });
  showPanels();
  $('panel').focus({ preventScroll: true });
}
function stepIssue(step) {
  const at = told.calendar.findIndex(one => one.id === told.issue.id) + step;
  if (told.calendar[at]) go({ issue: told.calendar[at].id });
}

const COMMANDS = [
  ['/', 'Commands', () => openPalette()],
  ['1', 'Phone, 375 px', () => go({ width: '375', view: 'mail' })],
  ['2', 'Desktop, 600 px', () => go({ width: '600', view: 'mail' })],
  ['3', 'Full width', () => go({ width: 'full', view: 'mail' })],
  ['d', 'Light, dark, forced inversion', () => go({ scheme: cycle(SCHEMES, state.scheme), view: 'mail' })],
  ['t', 'Plain text', () => go({ view: state.view === 'text' ? 'mail' : 'text' })],
  ['s', 'Source', () => go({ view: state.view === 'source' ? 'mail' : 'source' })],
  ['i', 'Images on or off', () => go({ images: state.images === 'on' ? 'off' : 'on' })],
  ['[', 'Reader before', () => stepRole(-1)],
  [']', 'Next reader', () => stepRole(1)],
  [',', 'Earlier issue', () => stepIssue(-1)],
  ['.', 'Later issue', () => stepIssue(1)],
  ['p', 'Next panel', () => { go({ panel: cycle(PANELS, state.panel) }); showPanels(); }],
  ['P', 'Panel before', () => { go({ panel: cycle(PANELS, state.panel, -1) }); showPanels(); }],
  ['r', 'Drafts as if published', () => go({ drafts: state.drafts === '1' ? '' : '1' })],
  ['m', 'Send yourself a test', () => openSend()],
  ['?', 'Keys', () => openKeys()],
];

function onKey(event) {
  if ((event.metaKey || event.ctrlKey) && event.key.toLowerCase() === 'k') {
    event.preventDefault();
    return openPalette();
  }
  const typing = event.target.closest?.('input:not([type=range]), select, textarea, dialog');
  if (typing || event.metaKey || event.ctrlKey || event.altKey || !told || localStorage.keys === 'off') return;
  const command = COMMANDS.find(([key]) => key === event.key);
  if (!command) return;
  event.preventDefault();
  command[2]();
  if (!document.querySelector('dialog[open]')) say(`${command[1]}. ${SCHEMES[state.scheme]}, ${WIDTHS[state.width]}, ${VIEWS[state.view]}, ${told.role.name}`);
}

function openKeys() {
  paint($('keys'), COMMANDS.map(([key, words]) => h('div', {}, h('dt', {}, h('kbd', {}, key)), h('dd', {}, words))));
  $('keys-on').checked = localStorage.keys !== 'off';
  $('keys-box').showModal();
}

function offers() {
  const wish = $('wish').value.trim().toLowerCase();
  const tags = [...new Set([...told.stories.in, ...told.stories.out].flatMap(one => one.tags))].sort();
  const every = [
    ...told.roles.map(one => ['as', one.name, one.about, () => go({ as: one.key })]),
    ...Object.entries(PANELS).map(([key, one]) => ['panel', one.name, '', () => openPanel(key)]),
    ...COMMANDS.slice(1).map(([key, words, run]) => ['do', words, key, run]),
    ...tags.map(tag => ['tag', `#${tag}`, 'as a reader of this tag', () => go({ as: `tags:${tag}` })]),
    ...told.issue.cadences.filter(one => one !== told.issue.cadence).map(one => ['cadence', one, 'issues of another rhythm', () => go({ issue: `${one}-${told.issue.due.slice(0, 10)}` })]),
    ...[...told.calendar].reverse().map(one => ['issue', one.id, count(one.posts, 'post'), () => go({ issue: one.id })]),
  ];
  const found = every.filter(one => wish.split(/\s+/).every(word => `${one[0]} ${one[1]} ${one[2]}`.toLowerCase().includes(word)));
  if (wish) found.push(['tags', wish, 'as somebody who follows these', () => go({ as: `tags:${wish}` })]);
  return found.slice(0, 60);
}

let picked = 0;
let offered = [];
function drawOffers() {
  offered = offers();
  picked = Math.min(picked, offered.length - 1);
  paint($('offers'), offered.map(([kind, words, more], n) => h('li', { role: 'option', id: `offer-${n}`, 'aria-selected': String(n === picked),
    onclick: () => take(n) }, h('span', { class: 'kind' }, kind), h('span', {}, words), h('span', { class: 'facts' }, more))));
  $('wish').setAttribute('aria-activedescendant', offered.length ? `offer-${picked}` : '');
  $(`offer-${picked}`)?.scrollIntoView({ block: 'nearest' });
}
function openPalette() {
  if (!told || $('palette').open) return;
  $('wish').value = '';
  picked = 0;
  $('palette').showModal();
  drawOffers();
}
function take(n) {
  $('palette').close();
  offered[n]?.[3]();
}

function openSend() {
  if (!told.mail) return;
  $('send-what').textContent = `“${told.mail.inbox.subject}”, as ${told.role.name} gets it. ${told.provider === 'outbox' ? 'It is written to the outbox, and leaves this machine only when you choose another provider.' : `It leaves through ${told.provider}.`} [TEST] stands before the subject, and its links lead to nobody’s preferences.`;
  $('send-said').textContent = '';
  $('to').value = localStorage.to ?? '';
  $('send-box').showModal();
}
async function send(event) {
  if (event.submitter?.value !== 'send') return;
  event.preventDefault();
  const to = $('to').value;
  $('send-said').textContent = 'Sending…';
  const answer = await fetch(`/test-send?${lookQuery()}`, { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify({ to }) }).then(one => one.json(), () => ({ error: { message: 'the studio does not answer' } }));
  $('send-said').textContent = answer.error ? `Not sent: ${answer.error.message}` : `Sent: ${answer.said}`;
  if (!answer.error) localStorage.to = to;
}

// --- and off ---------------------------------------------------------------------------------

$('earlier').onclick = () => stepIssue(-1);
$('later').onclick = () => stepIssue(1);
$('time').onchange = event => go({ issue: told.calendar[event.target.value].id });
$('as').onchange = event => go({ as: event.target.value });
$('images').onclick = () => go({ images: state.images === 'on' ? 'off' : 'on' });
$('drafts').onclick = () => go({ drafts: state.drafts === '1' ? '' : '1' });
$('send').onclick = openSend;
$('commands').onclick = openPalette;
$('send-form').onsubmit = send;
$('keys-on').onchange = event => { localStorage.keys = event.target.checked ? 'on' : 'off'; };
$('tags-form').onsubmit = event => {
  event.preventDefault();
  if ($('tags').value.trim()) go({ as: `tags:${$('tags').value.trim()}` });
};
$('wish').oninput = () => { picked = 0; drawOffers(); };
$('wish').onkeydown = event => {
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (step) {
    event.preventDefault();
    picked = (picked + step + offered.length) % Math.max(1, offered.length);
    drawOffers();
  } else if (event.key === 'Enter') {
    event.preventDefault();
    take(picked);
  }
};
$('tabs').onkeydown = event => {
  const step = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (!step) return;
  event.preventDefault();
  go({ panel: cycle(PANELS, state.panel, step) });
  $(`tab-${state.panel}`).focus();
};
if (!/Mac|iPhone|iPad/.test(navigator.platform)) $('commands').firstChild.textContent = 'Ctrl K';
for (const dialog of document.querySelectorAll('dialog')) {
  dialog.onclick = event => { if (event.target === dialog) dialog.close(); };
}
document.addEventListener('keydown', onKey);
window.addEventListener('popstate', () => { read(); refresh(); });
window.addEventListener('resize', fit);
read();
refresh();
listen();
