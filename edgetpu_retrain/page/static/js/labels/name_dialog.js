// Copyright 2026 edgetpu_retrain contributors
// SPDX-License-Identifier: Apache-2.0
/** Asks for the name of a class, to add or to rename it. */

import { Dialog } from '../base/dialog.js';
import { html, useState } from '../base/html.js';
import { problemOf } from './class_list.js';

/**
 * @param {object} props
 * @param {string} props.title
 * @param {string} props.button what the button says, such as 'Add'
 * @param {string} [props.initial]
 * @param {boolean} [props.mayExist] whether the name of an existing class is accepted, too
 * @param {(label: string) => void} props.onName
 * @param {() => void} props.onClose
 */
export function NameDialog({ title, button, initial = '', mayExist = false, onName, onClose }) {
  return html`
    <${Dialog} title=${title} onClose=${onClose}>
      <${NameForm} button=${button} initial=${initial} mayExist=${mayExist} focused
        onName=${(label) => {
    onName(label);
    onClose();
  }} />
    </${Dialog}>`;
}

/**
 * The field and its button, as in NameDialog.
 * @param {object} props
 * @param {string} props.button
 * @param {string} [props.field] what the field is for
 * @param {string} [props.initial]
 * @param {boolean} [props.mayExist]
 * @param {(label: string) => void} props.onName
 * @param {boolean} [props.focused] whether the field is the first that a dialog focuses
 */
export function NameForm(props) {
  const { button, field = 'Name of the class', initial = '', mayExist = false } = props;
  const { focused = false, onName } = props;
  const [label, setLabel] = useState(initial);
  const [problem, setProblem] = useState('');
  const submit = (event) => {
    event.preventDefault();
    const name = label.trim();
    const wrong = problemOf(name);
    if (wrong && !(mayExist && wrong.includes('exists'))) setProblem(wrong);
    else onName(name);
  };
  return html`
    <form class="name-form" onSubmit=${submit}>
      <label>${field}
        <input value=${label} maxlength="120" dir="auto" autocomplete="off" autocapitalize="off"
          enterkeyhint="done" placeholder="mug" aria-invalid=${Boolean(problem)} autofocus=${focused}
          onInput=${(event) => {
            setLabel(event.target.value);
            setProblem('');
          }} />
      </label>
      <button class="primary">${button}</button>
      <p class="problem" role="alert">${problem}</p>
    </form>`;
}
