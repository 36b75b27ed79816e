// Copyright 2026 edgetpu_retrain contributors
// SPDX-License-Identifier: Apache-2.0
/** Export and import of all samples as a zip. */

import { html, useRef, useState } from '../base/html.js';
import { useStore } from '../base/store.js';
import { toast, toastError } from '../base/toasts.js';
import { download, upload } from '../robot/api.js';
import { isTeacher, robot } from '../robot/live.js';
import { Card } from './card.js';

/** The part of the model screen with export and import. */
export function TransferPart() {
  const teacher = useStore(robot, isTeacher);
  const any = useStore(robot, (value) => (value.status?.labels.length ?? 0) > 0);
  const [busy, setBusy] = useState('');
  const file = useRef(null);
  if (!teacher && !any) return null;
  const save = async () => {
    setBusy('export');
    await download('/api/export.zip', 'samples.zip').catch(toastError);
    setBusy('');
  };
  const send = async (event) => {
    const [chosen] = event.target.files;
    if (!chosen) return;
    setBusy('import');
    await upload('/api/import', chosen).then(({ message }) => toast(message), toastError);
    setBusy('');
    if (file.current) file.current.value = '';
  };
  return html`
    <${Card} title="Export and import">
      <p>All samples as one zip: a backup, or what another robot was taught.</p>
      <div class="actions">
        ${any && html`<button disabled=${Boolean(busy)} onClick=${save}>
          ${busy === 'export' ? 'Exporting…' : 'Export'}</button>`}
        ${teacher && html`
          <button disabled=${Boolean(busy)} onClick=${() => file.current.click()}>
            ${busy === 'import' ? 'Importing…' : 'Import'}</button>
          <input ref=${file} class="only-read-out" type="file" accept=".zip,application/zip"
            tabindex="-1" aria-label="Zip to import" onChange=${send} />`}
      </div>
    </${Card}>`;
}
