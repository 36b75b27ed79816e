// Copyright 2026 edgetpu_retrain contributors
// SPDX-License-Identifier: Apache-2.0
/** Export and import of all samples as a zip. */

import { html, useRef, useState } from '../base/html.js';
import { useStore } from '../base/store.js';
import { toast, toastError } from '../base/toasts.js';
import { upload } from '../robot/api.js';
import { robot } from '../robot/live.js';

/** Both, with what they are for. */
export function TransferPart() {
  const teacher = useStore(robot, (value) => value.role === 'teacher');
  const any = useStore(robot, (value) => (value.status?.labels.length ?? 0) > 0);
  const [busy, setBusy] = useState(false);
  const file = useRef(null);
  if (!teacher && !any) return null;
  const send = async (event) => {
    const [chosen] = event.target.files;
    if (!chosen) return;
    setBusy(true);
    await upload('/api/import', chosen).then(({ message }) => toast(message), toastError);
    setBusy(false);
    if (file.current) file.current.value = '';
  };
  return html`
    <section class="card" aria-labelledby="transfer-title">
      <h2 id="transfer-title">Export and import</h2>
      <p>All samples as one zip: a backup, or what another robot was taught.</p>
      <div class="actions">
        ${any && html`<a class="button" href="/api/export.zip" download>Export</a>`}
        ${teacher && html`
          <button disabled=${busy} onClick=${() => file.current.click()}>
            ${busy ? 'Importing…' : 'Import'}</button>
          <input ref=${file} class="only-read-out" type="file" accept=".zip,application/zip"
            tabindex="-1" aria-label="Zip to import" onChange=${send} />`}
      </div>
    </section>`;
}
