// Copyright 2026 edgetpu_retrain contributors
// SPDX-License-Identifier: Apache-2.0
/** The screen where robot and fleet ask what they see: one question at a time, or many at once. */

import { html, useMemo, useRef, useState } from '../base/html.js';
import { Icon } from '../base/icons.js';
import { digitOf, useKeys } from '../base/keyboard.js';
import { useStore } from '../base/store.js';
import { announce } from '../base/toasts.js';
import { counted, listed, percent, quoted, when } from '../base/words.js';
import { Grid } from '../grid/grid.js';
import { useSelection } from '../grid/selection.js';
import { SelectionBar } from '../grid/selection_bar.js';
import { useClasses } from '../labels/class_list.js';
import { LabelButtons } from '../labels/label_buttons.js';
import { NameDialog } from '../labels/name_dialog.js';
import { answer } from '../robot/actions.js';
import { useResource } from '../robot/api.js';
import { isTeacher, robot } from '../robot/live.js';

const LIMIT = 1000;

/**
 * @typedef {object} Question
 * @property {number} id
 * @property {'unknown'|'margin'|'conflict'|'proposal'|'disagreement'} kind
 * @property {string} camera of a sample of the fleet, who claims each label: 'a, b / c'
 * @property {number} stamp
 * @property {string[]} labels of the classification, best first, or those that the fleet claims
 * @property {number[]} scores
 * @property {boolean} has_image
 */

const SOURCES = [
  { name: 'All', has: () => true },
  { name: 'Cameras', has: (question) => !isOfFleet(question) },
  { name: 'Fleet', has: isOfFleet },
];

/** @param {Question} question whether it is about a sample of another robot */
function isOfFleet({ kind }) {
  return kind === 'proposal' || kind === 'disagreement';
}

/** Questions one at a time, or as a grid. */
export function Questions() {
  const { data, error, loading, reload } = useResource(`/api/questions?limit=${LIMIT}`, 'questions');
  const teacher = useStore(robot, isTeacher);
  const [done, setDone] = useState(() => new Set());
  const [many, setMany] = useState(false);
  const [chosen, setChosen] = useState(SOURCES[0]);
  const asked = useInOrder(data?.questions);
  const all = useMemo(() => asked.filter((each) => !done.has(each.id)), [asked, done]);
  // Without a choice between cameras and fleet, or after the last of the chosen ones, show all.
  const mixed = SOURCES.every(({ has }) => all.some(has));
  const source = mixed ? chosen : SOURCES[0];
  const open = useMemo(() => all.filter(source.has), [all, source]);
  const label = async (ids, name) => {
    // The next question comes at once; if the robot refuses, the question comes back.
    setDone((before) => new Set([...before, ...ids]));
    announce(`${name || 'Dismissed'}. ${counted(open.length - ids.length, 'question')} left.`);
    await answer(ids, name);
    await reload();
    setDone((before) => new Set([...before].filter((id) => !ids.includes(id))));
  };
  if (error && !data) return html`<p class="problem">${error}</p>`;
  if (!open.length) {
    return html`<section class="questions" aria-label="Questions">
      ${loading && !data ? html`<p class="empty">Loading…</p>` : html`<${NoQuestions} />`}
    </section>`;
  }
  return html`
    <section class="questions" aria-label="Questions">
      <div class="list-head">
        <h2>${counted(open.length, 'question')}</h2>
        ${mixed && html`<div class="switch" role="group" aria-label="From">
          ${SOURCES.map((each) => html`<button key=${each.name} aria-pressed=${each === source}
            onClick=${() => setChosen(each)}>${each.name}</button>`)}
        </div>`}
        <div class="switch" role="group" aria-label="View">
          <button aria-pressed=${!many} onClick=${() => setMany(false)}>One by one</button>
          <button aria-pressed=${many} onClick=${() => setMany(true)}>Grid</button>
        </div>
      </div>
      ${many ? html`<${QuestionGrid} questions=${open} teacher=${teacher} onLabel=${label} />`
    : html`<${OneQuestion} question=${open[0]} next=${open[1]}
        teacher=${teacher} onLabel=${label} />`}
    </section>`;
}

/** Append new questions at the end, so that the current one stays in place. */
function useInOrder(questions) {
  const order = useRef(new Map()).current;
  return useMemo(() => {
    const known = (questions ?? []).filter((each) => order.has(each.id));
    const fresh = (questions ?? []).filter((each) => !order.has(each.id));
    for (const { id } of fresh) order.set(id, order.size);
    return [...known.sort((a, b) => order.get(a.id) - order.get(b.id)), ...fresh];
  }, [questions]);
}

function NoQuestions() {
  const version = useStore(robot, (value) => value.status?.model_version);
  return html`
    <div class="empty">
      <h2>No questions</h2>
      <p>${version ? 'When the robot sees something that it is unsure about, it asks here.'
    : 'Once it has a model, the robot asks here about what it is unsure of.'}</p>
      <p class="muted">It keeps such pictures only if the node’s parameter max_questions is above
        0. Teachers of a fleet are also asked here about what other robots propose.</p>
    </div>`;
}

function OneQuestion({ question, next, teacher, onLabel }) {
  const list = withClaimed(useClasses(), question);
  const [naming, setNaming] = useState(false);
  const choose = (name) => onLabel([question.id], name);
  useKeys((event) => {
    if (!teacher || event.repeat || event.ctrlKey || event.metaKey) return;
    const digit = digitOf(event);
    const dismissed = digit === 0 || event.key === 'Backspace';
    if (!dismissed && !list[digit - 1]) return;
    event.preventDefault();
    choose(dismissed ? '' : list[digit - 1].label);
  });
  return html`
    <article class="question" aria-label="Question">
      <figure>
        ${[question, next].map((each) => each && html`<${Picture} key=${each.id} question=${each}
          shown=${each === question} />`)}
        <figcaption>${isOfFleet(question) ? html`<${Claims} question=${question} />` : html`
          <${Thought} question=${question} />
          <span class="muted" dir="auto">${question.camera}
            ${question.stamp > 0 && ` · ${when(question.stamp)}`}</span>`}</figcaption>
      </figure>
      ${teacher && html`
        <div class="answers">
          <h3>What is it?</h3>
          <${LabelButtons} list=${list} likely=${question.labels} onLabel=${choose}>
            <button class="other" onClick=${() => setNaming(true)}>
              <${Icon} name="plus" />New class</button>
            <button class="other" onClick=${() => choose('')} aria-label="Dismiss"
              aria-keyshortcuts="0"><${Icon} name="close" />Dismiss
              <kbd aria-hidden="true">0</kbd></button>
          </${LabelButtons}>
        </div>`}
      ${naming && html`<${NameDialog} title="What is it?" button="Label" mayExist
        onName=${choose} onClose=${() => setNaming(false)} />`}
    </article>`;
}

/** Add the labels that the fleet claims, because they may be no classes of this robot yet. */
function withClaimed(list, question) {
  const known = new Set(list.map(({ label }) => label));
  const claimed = isOfFleet(question) ? question.labels.filter((label) => !known.has(label)) : [];
  return [...list, ...claimed.map((label) => ({ label, count: 0 }))];
}

/** A question's picture; that of the next one is loaded hidden, so that it shows at once. */
function Picture({ question: { id, has_image: hasImage }, shown }) {
  if (!hasImage) return shown ? html`<p class="no-image">No picture</p>` : null;
  return html`<img src=${`/api/pictures/questions/${id}.jpg`} hidden=${!shown}
    alt="What the robot saw" />`;
}

/** @param {{question: Question}} props the classification of its frame, as a sentence */
function Thought({ question: { kind, labels, scores } }) {
  const guesses = labels.map((label, index) => ({ label, score: scores[index] }))
    .filter(({ label }) => label !== 'unknown')
    .map(({ label, score }) => `${quoted(label)} ${percent(score)}`);
  if (kind === 'conflict') {
    return html`<b>The robot says ${guesses[0]},</b> but a sample that looks nearly the same has
      another label.`;
  }
  if (kind === 'margin') {
    return html`<b>The robot could not decide: ${listed(guesses.slice(0, 2))}.</b>`;
  }
  return html`<b>The robot did not recognize this.</b>
    ${guesses.length > 0 && html` Most like ${guesses[0]}.`}`;
}

/** @param {{question: Question}} props which robots claim which labels, as a sentence */
function Claims({ question: { kind, labels, camera } }) {
  const robots = camera.split(' / ');
  const claims = labels.map((label, index) => `${quoted(label)} (${robots[index] || 'a robot'})`);
  return html`<b dir="auto">${kind === 'proposal' ? 'Another robot proposes'
    : 'The fleet’s teachers disagree'}: ${claims.join(', ')}.</b>
    ${kind === 'proposal' && ' No teacher has confirmed it yet.'}`;
}

function QuestionGrid({ questions, teacher, onLabel }) {
  const order = useMemo(() => questions.map((each) => each.id), [questions]);
  const tiles = useMemo(() => questions.map((each) => ({
    id: each.id,
    name: `Question ${each.id}: ${each.labels[0] ?? ''}`,
    caption: each.labels[0] ?? '',
    picture: each.has_image ? `/api/pictures/questions/${each.id}.jpg` : '',
  })), [questions]);
  const selection = useSelection(order);
  const chosen = () => order.filter(selection.has);
  const label = (name) => {
    onLabel(chosen(), name);
    selection.clear();
  };
  return html`
    <${SelectionBar} count=${chosen().length} total=${order.length} teacher=${teacher}
      onAll=${() => selection.set(order)} onClear=${selection.clear} onLabel=${label}
      onRemove=${() => label('')} purpose="answer" removeName="Dismiss" />
    <${Grid} name="Questions" tiles=${tiles} total=${order.length} selection=${selection} />`;
}
