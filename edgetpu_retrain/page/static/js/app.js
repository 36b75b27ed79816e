// Copyright 2026 edgetpu_retrain contributors
// SPDX-License-Identifier: Apache-2.0
/** The page: header, live picture, one of four screens, navigation. */

import { html, render, useEffect, useState } from './base/html.js';
import { Icon } from './base/icons.js';
import { useKeys } from './base/keyboard.js';
import { useStore } from './base/store.js';
import { Toasts } from './base/toasts.js';
import { counted, number } from './base/words.js';
import { Model } from './model/model.js';
import { LivePane } from './picture/live_pane.js';
import { Problems } from './problems.js';
import { Questions } from './questions/questions.js';
import { redo, undo } from './robot/actions.js';
import { get } from './robot/api.js';
import { connect, isTeacher, robot } from './robot/live.js';
import { Samples } from './samples/samples.js';
import { guardHolds } from './teach/capture.js';
import { Teach } from './teach/teach.js';
import { TrainBar } from './teach/train_bar.js';

const SCREENS = [
  { name: 'teach', title: 'Teach' },
  { name: 'samples', title: 'Samples' },
  { name: 'questions', title: 'Questions' },
  { name: 'model', title: 'Model' },
];
const AGAIN_MS = 3000;
const PHONE = matchMedia('(max-width: 699px)');

/** @returns {{screen: string, argument: string}} of the address, such as #samples/mug */
function route() {
  const [name, argument = ''] = location.hash.slice(1).split('/');
  const known = SCREENS.some((each) => each.name === name);
  try {
    return { screen: known ? name : 'teach', argument: decodeURIComponent(argument) };
  } catch {
    return { screen: 'teach', argument: '' };
  }
}

function useRoute() {
  const [now, setNow] = useState(route);
  useEffect(() => {
    const follow = () => setNow(route());
    addEventListener('hashchange', follow);
    return () => removeEventListener('hashchange', follow);
  }, []);
  return now;
}

function usePhone() {
  const [phone, setPhone] = useState(PHONE.matches);
  useEffect(() => {
    const follow = () => setPhone(PHONE.matches);
    PHONE.addEventListener('change', follow);
    return () => PHONE.removeEventListener('change', follow);
  }, []);
  return phone;
}

function App() {
  const { screen, argument } = useRoute();
  const { title } = SCREENS.find((each) => each.name === screen);
  const phone = usePhone();
  useKeys((event) => {
    if (robot.get().role !== 'teacher' || event.repeat) return;
    const key = event.key.toLowerCase();
    if (key === 'z' && event.shiftKey) redo();
    else if (key === 'z') undo();
    else if (key === 'y' && (event.ctrlKey || event.metaKey)) redo();
    else return;
    event.preventDefault();
  });
  useEffect(() => {
    document.title = screen === 'teach' ? 'Teach the robot' : `${title} – Teach the robot`;
  }, [screen]);
  return html`
    <div class="shell" data-screen=${screen}>
      <${Header} title=${title} />
      <${Problems} />
      ${(!phone || screen === 'teach') && html`<${LivePane} />`}
      <${Navigation} screen=${screen} />
      <main class="scroll" key=${screen} tabindex="-1">
        ${screen === 'teach' && html`<${Teach} />`}
        ${screen === 'samples' && html`<${Samples} label=${argument} />`}
        ${screen === 'questions' && html`<${Questions} />`}
        ${screen === 'model' && html`<${Model} />`}
      </main>
      ${screen === 'teach' && html`<${TrainBar} />`}
      <${Toasts} />
    </div>`;
}

function Header({ title }) {
  const status = useStore(robot, (value) => value.status);
  const teacher = useStore(robot, isTeacher);
  const version = status?.model_version;
  return html`
    <header class="top">
      <h1>${title}</h1>
      <p class="muted">
        ${status?.connected && (version
    ? html`<a href="#model">Version ${version}</a><span class="wide">, ${counted(
      status.model_labels.length, 'class', 'classes',
    )}</span>` : 'No model yet')}
      </p>
      ${teacher && html`
        <button class="icon" aria-label="Undo" title="Undo (Z)" onClick=${undo}>
          <${Icon} name="undo" /></button>
        <button class="icon" aria-label="Redo" title="Redo (Shift+Z)" onClick=${redo}>
          <${Icon} name="redo" /></button>`}
    </header>`;
}

function Navigation({ screen }) {
  const questions = useStore(robot, (value) => value.status?.questions ?? 0);
  return html`
    <nav class="screens" aria-label="Screens">
      ${SCREENS.map(({ name, title }) => html`
        <a key=${name} href=${`#${name}`} aria-current=${screen === name ? 'page' : undefined}>
          <${Icon} name=${name} /><span>${title}</span>
          ${name === 'questions' && questions > 0 && html`
            <span class="badge"><span class="only-read-out">, open: </span>${number(questions)}
            </span>`}
        </a>`)}
    </nav>`;
}

/** Request the visitor's role; again when the connection is back, and while it is refused. */
function introduce() {
  const ask = () => get('/api/me').then(
    ({ role, node }) => robot.set({ role, node, refused: '' }),
    ({ status, message }) => robot.set({ refused: status ? message : '' }),
  );
  let before = '';
  robot.subscribe(() => {
    const { link } = robot.get();
    if (link === 'open' && before === 'lost') ask();
    before = link;
  });
  setInterval(() => robot.get().link === 'lost' && ask(), AGAIN_MS);
  ask();
}

introduce();
guardHolds();
connect();
document.getElementById('app').replaceChildren();
render(html`<${App} />`, document.getElementById('app'));
