/** What makes the page answer. It moves what is written in the page already, and makes no markup out of text. */
export const script = `
const root = document.documentElement;
root.classList.add('answers');
const svg = document.querySelector('svg.mesh');
const frame = document.querySelector('.frame');
const panel = document.querySelector('.panel');
const nodes = [...svg.querySelectorAll('.node')];
const elements = [...svg.querySelectorAll('.element')];
const ways = JSON.parse(document.getElementById('ways').textContent);
const way = document.getElementById('way');
let chosen = null;
nodes.forEach((node, place) => {
  node.setAttribute('role', 'button');
  node.setAttribute('aria-pressed', 'false');
  node.tabIndex = place === 0 ? 0 : -1;
});

const dark = () => root.dataset.theme ? root.dataset.theme === 'dark' : matchMedia('(prefers-color-scheme: dark)').matches;
const theme = document.getElementById('theme');
const told = () => theme.setAttribute('aria-pressed', String(dark()));
theme.addEventListener('click', () => { root.dataset.theme = dark() ? 'light' : 'dark'; told(); });
matchMedia('(prefers-color-scheme: dark)').addEventListener('change', told);
told();

const natural = Number(svg.getAttribute('width'));
const tall = Number(svg.getAttribute('height'));
const fit = document.getElementById('fit');
let scale = 1;
const sized = (to) => {
  scale = to;
  svg.setAttribute('width', natural * scale);
  svg.setAttribute('height', tall * scale);
};
const fitted = () => fit.getAttribute('aria-pressed') === 'true';
/** All of it in the frame, both ways, and within the window as it opens where that leaves half of it. */
const whole = () => {
  sized(0);
  const under = innerHeight - (frame.getBoundingClientRect().top + scrollY) - 12;
  const most = Math.min(parseFloat(getComputedStyle(frame).maxHeight), Math.max(innerHeight / 2, under)) - 3;
  sized(Math.min(1.5, frame.clientWidth / natural, most / tall));
};
const toggle = (on) => {
  fit.setAttribute('aria-pressed', String(on));
  if (on) whole();
};
/** What is in the middle of the frame stays there. */
const zoom = (to) => {
  const part = (at, seen, of) => (at + seen / 2) / Math.max(1, of);
  const { clientWidth, clientHeight } = frame;
  const [x, y] = [part(frame.scrollLeft, clientWidth, frame.scrollWidth), part(frame.scrollTop, clientHeight, frame.scrollHeight)];
  toggle(false);
  sized(Math.min(3, Math.max(Math.min(0.1, scale), to)));
  frame.scrollTo(x * frame.scrollWidth - frame.clientWidth / 2, y * frame.scrollHeight - frame.clientHeight / 2);
};
fit.addEventListener('click', () => { if (fitted()) zoom(1); else toggle(true); });
document.getElementById('larger').addEventListener('click', () => zoom(scale * 1.25));
document.getElementById('smaller').addEventListener('click', () => zoom(scale / 1.25));
addEventListener('resize', () => { if (fitted()) whole(); });
toggle(true);

const show = (...parts) => {
  panel.replaceChildren(...parts);
  for (const part of panel.querySelectorAll('[id]')) part.removeAttribute('id');
  panel.hidden = parts.length === 0;
};
/** The panel is not over what it tells of. */
const beside = (what) => {
  const [box, view] = [what.getBoundingClientRect(), frame.getBoundingClientRect()];
  panel.classList.toggle('left', box.left + box.width / 2 > view.left + view.width / 2);
};
const wordsOf = (node) => [...document.getElementById('w' + node.id.slice(1)).cloneNode(true).childNodes];
const light = (on, near) => {
  const any = on !== null;
  for (const element of elements) {
    const lit = any && on(element);
    element.classList.toggle('on', lit);
    element.classList.toggle('off', any && !lit);
  }
  for (const node of nodes) node.classList.toggle('off', any && !near.has(node.id.slice(1)));
};
const around = (node) => {
  const id = node.id.slice(1);
  const touches = (element) => element.dataset.from === id || element.dataset.to === id;
  const near = new Set([id]);
  for (const element of elements.filter(touches)) near.add(element.dataset.from).add(element.dataset.to);
  light(touches, near);
};
const mark = (node) => {
  chosen = node;
  for (const other of nodes) {
    other.classList.toggle('chosen', other === node);
    other.setAttribute('aria-pressed', String(other === node));
    if (node) other.tabIndex = other === node ? 0 : -1;
  }
};
const choose = (node) => {
  way.value = '';
  mark(node);
  if (!node) { light(null); show(); return; }
  around(node);
  beside(node);
  show(...wordsOf(node));
};
const follow = (index) => {
  mark(null);
  show();
  const way = ways[index];
  if (!way) { light(null); return; }
  const steps = new Set(way.slice(1).map((to, i) => way[i] + '>' + to));
  light((element) => steps.has(element.dataset.from + '>' + element.dataset.to), new Set(way.map(String)));
  see(document.getElementById('n' + way[0]));
};
/** Brings a node to the middle of the frame. */
const see = (node) => {
  const [box, view] = [node.getBoundingClientRect(), frame.getBoundingClientRect()];
  frame.scrollBy({ left: box.left + box.width / 2 - view.left - view.width / 2, top: box.top + box.height / 2 - view.top - view.height / 2 });
};
way.addEventListener('change', () => follow(way.value));

let moved = false;
svg.addEventListener('click', (event) => { if (!moved) choose(event.target.closest('.node')); });
svg.addEventListener('pointerover', (event) => {
  if (chosen || way.value !== '') return;
  const node = event.target.closest('.node');
  const element = event.target.closest('.element');
  if (node) { beside(node); show(...wordsOf(node)); return; }
  if (!element) { show(); return; }
  beside(element);
  const from = document.createElement('h3');
  from.textContent = document.getElementById('n' + element.dataset.from).querySelector('title').textContent;
  show(from, ...document.getElementById('we' + element.id.slice(1)).cloneNode(true).childNodes);
});
svg.addEventListener('focusin', (event) => {
  const node = event.target.closest('.node');
  if (node && !chosen && way.value === '') { beside(node); show(...wordsOf(node)); }
});

const middle = (node) => { const box = node.getBoundingClientRect(); return { x: box.x + box.width / 2, y: box.y + box.height / 2 }; };
const go = (from, key) => {
  const sign = key === 'ArrowRight' || key === 'ArrowDown' ? 1 : -1;
  const across = key === 'ArrowRight' || key === 'ArrowLeft';
  const here = middle(from);
  const id = from.id.slice(1);
  const tied = elements.flatMap(({ dataset }) => across && (sign > 0 ? dataset.from : dataset.to) === id ? [document.getElementById('n' + (sign > 0 ? dataset.to : dataset.from))] : []);
  const ahead = (node) => { const at = middle(node); return sign * (across ? at.x - here.x : at.y - here.y) > 1; };
  const far = (node) => { const at = middle(node); return across ? Math.abs(at.y - here.y) + Math.abs(at.x - here.x) / 4 : Math.abs(at.y - here.y) + 4 * Math.abs(at.x - here.x); };
  const among = tied.filter(ahead).length > 0 ? tied.filter(ahead) : tied.length > 0 ? tied : nodes.filter(ahead);
  return among.toSorted((a, b) => far(a) - far(b))[0];
};
svg.addEventListener('keydown', (event) => {
  const node = event.target.closest('.node');
  if (!node) return;
  if (event.key === 'Enter' || event.key === ' ') choose(node);
  else if (event.key === 'Escape') choose(null);
  else if (event.key.startsWith('Arrow')) {
    const next = go(node, event.key);
    if (next) {
      for (const other of nodes) other.tabIndex = other === next ? 0 : -1;
      next.focus({ preventScroll: true });
      see(next);
      beside(next);
      if (chosen) choose(next);
    }
  } else return;
  event.preventDefault();
});
document.addEventListener('click', (event) => {
  const link = event.target.closest('a[href^="#n"]');
  const node = link && document.getElementById(link.getAttribute('href').slice(1));
  const button = event.target.closest('button[data-way]');
  if (button) { way.value = button.dataset.way; follow(way.value); frame.scrollIntoView({ block: 'center' }); }
  if (!node || !node.classList.contains('node')) return;
  event.preventDefault();
  choose(node);
  // what somebody asks for is to be read
  if (scale < 0.7) zoom(1);
  frame.scrollIntoView({ block: 'center' });
  see(node);
  beside(node);
  node.focus({ preventScroll: true });
});

frame.addEventListener('pointerdown', (event) => {
  moved = false;
  if (event.pointerType !== 'mouse' || event.button !== 0) return;
  const start = { x: event.clientX, y: event.clientY, left: frame.scrollLeft, top: frame.scrollTop };
  const drag = (move) => {
    const [x, y] = [move.clientX - start.x, move.clientY - start.y];
    if (Math.abs(x) + Math.abs(y) > 4) moved = true;
    if (moved) { frame.classList.add('grab'); frame.scrollTo(start.left - x, start.top - y); }
  };
  const end = () => { frame.classList.remove('grab'); removeEventListener('pointermove', drag); removeEventListener('pointerup', end); };
  addEventListener('pointermove', drag);
  addEventListener('pointerup', end);
});
`
