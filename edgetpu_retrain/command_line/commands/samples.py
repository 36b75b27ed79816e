# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""The commands of `samples`: list, change, erase, export, import, back up and restore samples."""

from __future__ import annotations

import dataclasses
from itertools import islice
from pathlib import Path
from typing import Any

import click
from edgetpu_retrain.command_line import options, workspace
from edgetpu_retrain.command_line.output import emit, progress_bar, table, warn
from edgetpu_retrain.errors import RequestError
from edgetpu_retrain.model_file.description import describe
from edgetpu_retrain.sample_archive.archive_reading import open_archive
from edgetpu_retrain.sample_archive.archive_writing import write_archive
from edgetpu_retrain.sample_archive.importing import import_archive
from edgetpu_retrain.sample_archive.picture_folders import write_picture_folders
from edgetpu_retrain.store.database.backup import back_up
from edgetpu_retrain.store.database.backup import restore as restore_database
from edgetpu_retrain.store.files.data_folder import data_folder, SAMPLES_FILE
from edgetpu_retrain.store.samples.change import NOTHING_TO_REDO, NOTHING_TO_UNDO
from edgetpu_retrain.store.samples.embedding_kind import EmbeddingKind
from edgetpu_retrain.wording import counted, NAMED_AT_MOST


def _which_samples(command: options.Command) -> options.Command:
    """Add the options that select the samples to remove or to erase."""
    for option in (
        options.data_dir_and_json,
        options.extractor,
        click.option('--id', 'ids', type=int, multiple=True, help='A sample; repeatable.'),
        click.option(
            '--newest',
            type=click.IntRange(min=0),
            default=0,
            metavar='N',
            help='Only the newest N of the class, or of all classes.',
        ),
        click.option(
            '--label', default='', help='The class; all its samples unless --newest is given.'
        ),
    ):
        command = option(command)
    return command


@click.group()
def samples() -> None:
    """Manage samples."""


@samples.command(name='list')
@click.option('--label', default='', help='Only of this class.')
@click.option(
    '--limit',
    type=click.IntRange(min=0),
    default=0,
    show_default=True,
    help='Also list this many single samples, newest first.',
)
@options.extractor
@options.data_dir_and_json
def list_samples(label: str, limit: int, extractor: options.NamedModel, data_dir: str) -> None:
    """List the classes with their numbers of samples and, with --limit, single samples."""
    identity = workspace.identity_of(extractor, data_dir)
    with workspace.open_samples(data_dir) as store:
        counts = workspace.counts_of(store, identity)
        _check_class(counts, label)
        if label:
            counts = {label: counts[label]}
        newest = store.list_samples(label, limit, extractor=identity) if limit else ()
    lines = table(('class', 'samples'), [*counts.items(), ('in all', sum(counts.values()))])
    if newest:
        head = ('sample', 'class', 'camera', 'picture', 'recording')
        rows = [
            (
                each.sample_id,
                each.label,
                each.camera or '-',
                'yes' if each.has_image else 'no',
                each.recording or '-',
            )
            for each in newest
        ]
        lines += ['', *table(head, rows)]
    result = {'counts': counts, 'samples': [dataclasses.asdict(each) for each in newest]}
    emit(result, *lines)


@samples.command()
@click.argument('new_label')
@click.option('--label', default='', help='The class that gets the new label.')
@click.option('--id', 'ids', type=int, multiple=True, help='A sample that gets it; repeatable.')
@options.extractor
@options.data_dir_and_json
def relabel(
    new_label: str, label: str, ids: tuple[int, ...], extractor: options.NamedModel, data_dir: str
) -> None:
    """Change the label of a class, or of single samples, to NEW_LABEL."""
    if bool(label) == bool(ids):
        raise click.UsageError('Give either --label or --id.')
    identity = workspace.identity_of(extractor, data_dir)
    with workspace.open_samples(data_dir) as store:
        if ids:
            changed = store.relabel(ids, new_label)
        else:
            _check_class(workspace.counts_of(store, identity), label)
            changed = store.relabel_class(label, new_label, extractor=identity)
    _emit_changed(changed, f'now labelled {new_label!r}')


@samples.command()
@_which_samples
def remove(
    label: str, newest: int, ids: tuple[int, ...], extractor: options.NamedModel, data_dir: str
) -> None:
    """Remove a class, the newest samples, or single samples; `samples undo` restores them."""
    if bool(ids) == bool(label or newest):
        raise click.UsageError('Give --label or --newest or both, or else --id.')
    identity = workspace.identity_of(extractor, data_dir)
    with workspace.open_samples(data_dir) as store:
        if ids:
            changed = store.remove_samples(ids)
        else:
            _check_class(workspace.counts_of(store, identity), label)
            changed = store.remove(label, newest, extractor=identity)
    _emit_changed(changed, 'removed')


@samples.command()
@options.data_dir_and_json
def undo(data_dir: str) -> None:
    """Undo the last change of the samples; repeat to undo earlier ones."""
    with workspace.open_samples(data_dir) as store:
        change = store.undo()
    if change is None:
        raise RequestError(NOTHING_TO_UNDO)
    emit(dataclasses.asdict(change), f'Undid {change}.')


@samples.command()
@options.data_dir_and_json
def redo(data_dir: str) -> None:
    """Redo the change that was undone last; repeat to redo later ones."""
    with workspace.open_samples(data_dir) as store:
        change = store.redo()
    if change is None:
        raise RequestError(NOTHING_TO_REDO)
    emit(dataclasses.asdict(change), f'Redid {change}.')


@samples.command()
@_which_samples
def purge(
    label: str, newest: int, ids: tuple[int, ...], extractor: options.NamedModel, data_dir: str
) -> None:
    """
    Erase samples permanently: a class, the newest samples, or single samples.

    Without options, erase all samples that were removed and all questions that were dismissed
    before.  Erased samples cannot be restored.  Models that were trained with them stay.
    """
    if ids and (label or newest):
        raise click.UsageError('Give --label or --newest or both, or else --id, or nothing.')
    with workspace.open_samples(data_dir) as store:
        if ids:
            erased = store.erase_samples(ids)
        else:
            erased = store.erase(
                label, newest, extractor=workspace.identity_of(extractor, data_dir)
            )
    if label and not erased.samples:
        raise RequestError(f'there is no sample of {label!r}, removed or not: nothing was erased')
    if erased.copies:
        warn(erased.remark.removeprefix('; '))
    what = counted(erased.samples, 'sample', 'samples')
    are = 'is' if erased.samples + erased.questions == 1 else 'are'
    emit(
        {'changed': erased.samples, 'questions': erased.questions},
        f'{what}{erased.of_questions} {are} erased for ever.',
    )


@samples.command()
@click.argument('target', type=options.PATH, metavar='FILE.zip|FOLDER')
@options.data_dir_and_json
def export(target: Path, data_dir: str) -> None:
    """
    Write all samples to FILE.zip, or their stored pictures to FOLDER, one sub-folder per class.

    The zip contains labels, embeddings of all extractors and stored pictures; docs/samples_zip.md
    describes it.  `teach` and other tools can read the folder.
    """
    with workspace.open_samples(data_dir) as store:
        with store.snapshot() as snapshot:
            total = snapshot.total()
        result: dict[str, Any] = {'written': str(target)}
        left_out = 0
        with progress_bar('exporting', total) as step:
            if target.suffix.lower() == '.zip':
                result['samples'] = write_archive(store, target, step)
                written = counted(result['samples'], 'sample is', 'samples are')
            else:
                pictures = write_picture_folders(store, target, step)
                left_out = pictures.without_picture
                result |= {'pictures': dict(pictures.written), 'without_picture': left_out}
                written = counted(pictures.written.total(), 'picture is', 'pictures are')
    if left_out:
        warn(
            f'{counted(left_out, "sample is", "samples are")} left out for lack of a stored '
            'picture; a zip includes all samples'
        )
    emit(result, f'{written} in {target}.')


@samples.command(name='import')
@click.argument('archive', type=options.PATH, metavar='FILE.zip')
@options.extractor
@options.data_dir_and_json
def import_samples(archive: Path, extractor: options.NamedModel, data_dir: str) -> None:
    """
    Add the samples of FILE.zip from `samples export`; existing samples are not changed.

    Classes that cannot be taught, such as 'unknown', are left out.
    """
    description = describe(workspace.read_extractor(extractor, data_dir))
    kind = EmbeddingKind(description.dimension, description.output_dtype, description.quantization)
    with open_archive(archive) as source, workspace.open_samples(data_dir, create=True) as store:
        with progress_bar('importing', 2 * source.count) as step:
            done = import_archive(store, source, {description.identity: kind}, step)
        others = set(source.kinds) - {description.identity}
    if others:
        warn(
            f'some samples are of other extractors ({", ".join(each[:12] for each in others)}) '
            'and count only with these'
        )
    for text in islice(done.labels, NAMED_AT_MOST):
        warn(f'in {archive}, {text}')
    if done.relabelled:
        warn(
            f'{counted(done.relabelled, "sample has", "samples have")} another label here than in '
            'the archive, and kept it'
        )
    emit(
        vars(done) | {'labels': dict(done.labels)},
        f'{counted(done.added, "sample is", "samples are")} new, '
        f'{counted(done.present, "was", "were")} here already'
        f'{f", {done.left_out} left out" if done.left_out else ""}.',
    )


@samples.command()
@click.argument('target', type=options.PATH, metavar='FILE')
@options.data_dir_and_json
def backup(target: Path, data_dir: str) -> None:
    """Copy the whole database to the new file FILE, even while a node runs."""
    path = workspace.existing_folder(data_dir) / SAMPLES_FILE
    damage = back_up(path, target.absolute())
    if damage:
        warn(f'{path} is damaged, and so is the copy: {damage}')
    emit({'written': str(target), 'damage': damage}, f'The samples are copied to {target}.')


@samples.command()
@click.argument('source', type=click.Path(exists=True, path_type=Path), metavar='FILE')
@options.data_dir_and_json
def restore(source: Path, data_dir: str) -> None:
    """Replace the database with FILE from `samples backup`; the old database is kept."""
    kept = restore_database(source.absolute(), data_folder(data_dir) / SAMPLES_FILE)
    text = f'The samples are those of {source}.'
    if kept:
        text += f' The replaced ones are in {kept}.'
    emit({'restored': str(source), 'replaced': str(kept or '')}, text)


def _check_class(counts: dict[str, int], label: str) -> None:
    """Raise RequestError if no class has this label; '' means all classes."""
    if label and label not in counts:
        known = ', '.join(counts) or 'none yet'
        raise RequestError(f'there is no class {label!r}; the classes are: {known}')


def _emit_changed(count: int, change: str) -> None:
    emit({'changed': count}, f'{counted(count, "sample is", "samples are")} {change}.')
