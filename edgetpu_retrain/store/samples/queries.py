# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""
The SQL of the sample store.

The parameter ``:extractor`` is the identity of an extractor.  ``:label`` is a class name; for the
queries NEWEST_SAMPLES, NEWEST_IDS and NEWEST_LABELS, '' = all classes.
"""

# ruff: noqa: S608 - the SQL is composed of constants of this module only

# The samples with an embedding by ``:extractor``.
_EMBEDDED = """
    FROM embeddings JOIN samples ON samples.id = embeddings.sample_id
    WHERE extractor_id = (SELECT id FROM extractors WHERE identity = :extractor)
"""
# The samples without an embedding by ``:extractor``.
_UNEMBEDDED = f"""
    FROM samples LEFT JOIN images ON images.sample_id = samples.id
    WHERE samples.id NOT IN (SELECT sample_id {_EMBEDDED})
"""
_NEWEST = f"""
    {_EMBEDDED} AND (label = :label OR :label = '') AND sample_id <= :last
    ORDER BY sample_id DESC LIMIT :limit
"""
# The columns of a StoredSample.
_STORED_SAMPLE = """
    samples.id, label, camera, stamp_ns,
    EXISTS (SELECT 1 FROM images WHERE images.sample_id = samples.id), addition, added_ns,
    recording
"""

COUNT_CLASSES = f'SELECT label, COUNT(*) {_EMBEDDED} GROUP BY label ORDER BY MIN(samples.id)'
COUNT_EMBEDDINGS = f'SELECT COUNT(*) {_EMBEDDED}'
COUNT_EXTRACTORS = """
    SELECT identity, COUNT(*)
    FROM extractors JOIN embeddings ON extractor_id = extractors.id
    GROUP BY identity ORDER BY MAX(sample_id) DESC, identity
"""
COUNT_UNEMBEDDED = f'SELECT COUNT(*), COUNT(images.sample_id) {_UNEMBEDDED}'

NEWEST_SAMPLES = f'SELECT {_STORED_SAMPLE} {_NEWEST}'
NEWEST_IDS = f'SELECT samples.id {_NEWEST}'
NEWEST_LABELS = f'SELECT samples.id, label, added_ns {_NEWEST}'
UNEMBEDDED_WITH_IMAGE = f"""
    SELECT samples.id {_UNEMBEDDED} AND images.sample_id IS NOT NULL ORDER BY samples.id
"""
SAMPLES = f"""
    SELECT {_STORED_SAMPLE},
        (SELECT GROUP_CONCAT(extractor_id) FROM embeddings WHERE sample_id = samples.id)
    FROM samples ORDER BY samples.id
"""
LABEL = 'SELECT id, label FROM samples WHERE id = :sample_id'
LABELS = 'SELECT id, label FROM samples ORDER BY id'
PICTURE = """
    SELECT sample_id, label, jpeg FROM images JOIN samples ON samples.id = sample_id
    WHERE sample_id = :sample_id
"""

EXTRACTOR = """
    SELECT id, dimension, dtype, scale, zero_point FROM extractors WHERE identity = :extractor
"""
EXTRACTORS_WITH_SAMPLES = """
    SELECT id, identity FROM extractors
    WHERE EXISTS (SELECT 1 FROM embeddings WHERE extractor_id = extractors.id) ORDER BY id
"""
EMBEDDINGS = f'SELECT sample_id, label, recording, data {_EMBEDDED} ORDER BY sample_id'
EMBEDDING = f'SELECT sample_id, label, recording, data {_EMBEDDED} AND sample_id = :sample_id'
# CROSS JOIN makes SQLite search the index of labels, so it reads no samples of other classes.
NEWEST_OF_CLASS = """
    SELECT samples.id FROM samples CROSS JOIN embeddings ON sample_id = samples.id
    WHERE label = :label
    AND extractor_id = (SELECT id FROM extractors WHERE identity = :extractor)
    ORDER BY samples.id DESC LIMIT :limit
"""

# The queries of RowStates, in stored_samples.
ROWS = f"""
    SELECT samples.id, label, added_ns, addition, recording {_EMBEDDED} ORDER BY samples.id
"""
REMOVED_ROWS = 'SELECT id, added_ns FROM removed_samples'
LAST_ROW = "SELECT COALESCE(MAX(seq), 0) FROM sqlite_sequence WHERE name = 'samples'"

# The recording of the newest sample of a camera: of all its samples, and of those of one request.
NEWEST_OF_CAMERA = """
    SELECT recording, stamp_ns, added_ns FROM samples WHERE camera = :camera
    ORDER BY id DESC LIMIT 1
"""
NEWEST_OF_REQUEST = """
    SELECT recording FROM samples
    WHERE id >= :addition AND addition = :addition AND camera = :camera ORDER BY id DESC LIMIT 1
"""

# The recording of the camera's sample nearest to a time, if less than ``:pause_ns`` away.
_APART = """
    ABS(CASE WHEN stamp_ns AND :stamp_ns THEN stamp_ns - :stamp_ns ELSE added_ns - :taken_ns END)
"""
RECORDING_AT = f"""
    SELECT recording FROM samples WHERE camera = :camera AND recording != ''
    AND {_APART} < :pause_ns ORDER BY {_APART} LIMIT 1
"""

# Queries of the journal.
CHANGES = 'SELECT id, kind, made_ns, undone FROM changes ORDER BY id'
TIMES_OF_CHANGES = 'SELECT id, made_ns FROM changes'
LAST_CHANGE = 'SELECT COALESCE(MAX(id), 0) FROM changes'
LABELS_OF_CHANGE = """
    SELECT old_label, new_label, COUNT(*) FROM changed_samples WHERE change_id = :change_id
    GROUP BY old_label, new_label ORDER BY MIN(sample_id)
"""
SAMPLES_OF_CHANGE = """
    SELECT sample_id, old_label, new_label FROM changed_samples WHERE change_id = :change_id
"""
CHANGE_OF_ADDITION = """
    SELECT id FROM changes WHERE addition = :addition AND NOT undone ORDER BY id DESC
"""
# The last addition whose samples are all of the class ``:label`` and the recording ``:recording``.
# It can grow until it is undone, or a later change is undone or is not of the kind 'add'.
ADDITION_OF_RECORDING = """
    SELECT addition FROM changes WHERE kind = 'add'
    AND id > (SELECT COALESCE(MAX(id), 0) FROM changes WHERE undone OR kind != 'add')
    AND NOT EXISTS (
        SELECT 1 FROM changed_samples JOIN samples ON samples.id = sample_id
        WHERE change_id = changes.id AND (label != :label OR recording != :recording)
    ) ORDER BY id DESC LIMIT 1
"""
QUESTIONS_OF_CHANGE = 'SELECT COUNT(*) FROM changed_questions WHERE change_id = :change_id'
TOO_OLD = """
    made_ns < :oldest_ns
    OR undone AND EXISTS (SELECT 1 FROM changes WHERE undone AND made_ns < :oldest_ns)
"""
TOO_MANY = 'id NOT IN (SELECT id FROM changes ORDER BY id DESC LIMIT :limit)'
EMPTY = """
    id NOT IN (SELECT change_id FROM changed_samples)
    AND id NOT IN (SELECT change_id FROM changed_questions)
"""

_COLUMNS = 'id, label, camera, stamp_ns, addition, added_ns, recording'


def _move(source: str, target: str) -> tuple[str, ...]:
    """Return the statements that move a sample between tables whose names have these prefixes."""
    tables = {
        'samples': ('id', _COLUMNS),
        'embeddings': ('sample_id', 'extractor_id, sample_id, data'),
        'images': ('sample_id', 'sample_id, jpeg'),
    }
    return (
        *(
            f'INSERT INTO {target}{table} ({columns}) '
            f'SELECT {columns} FROM {source}{table} WHERE {key} = ?'
            for table, (key, columns) in tables.items()
        ),
        f'DELETE FROM {source}samples WHERE id = ?',
    )


REMOVE = _move('', 'removed_')
RESTORE = _move('removed_', '')
ERASE = (
    """
    DELETE FROM questions WHERE closed
    AND id IN (SELECT question_id FROM changed_questions WHERE sample_id = ?)
    """,
    'DELETE FROM changed_questions WHERE sample_id = ?',
    'DELETE FROM samples WHERE id = ?',
    'DELETE FROM removed_samples WHERE id = ?',
    'DELETE FROM changed_samples WHERE sample_id = ?',
)
DELETE_FORGOTTEN = (
    'DELETE FROM removed_samples WHERE id NOT IN (SELECT sample_id FROM changed_samples)',
    'DELETE FROM questions WHERE closed AND id NOT IN (SELECT question_id FROM changed_questions)',
)
ERASE_DISMISSED = """
    DELETE FROM questions WHERE closed
    AND id IN (SELECT question_id FROM changed_questions WHERE sample_id = 0)
"""
TO_ERASE = """
    SELECT id FROM removed_samples WHERE label = :label OR :label = ''
    UNION ALL SELECT id FROM samples WHERE label = :label
"""
