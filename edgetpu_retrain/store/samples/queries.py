# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""
The SQL of the sample store.

The parameter ``:extractor`` is the identity of an extractor, the SHA-256 of its file.  ``:label``
is a class name; '' = all classes.
"""

# ruff: noqa: S608 - the SQL is composed of constants of this module only

# The samples with an embedding by an extractor.
_EMBEDDED = """
    FROM embeddings JOIN samples ON samples.id = embeddings.sample_id
    WHERE extractor_id = (SELECT id FROM extractors WHERE identity = :extractor)
"""
# The samples without an embedding by an extractor.
_UNEMBEDDED = f"""
    FROM samples LEFT JOIN images ON images.sample_id = samples.id
    WHERE samples.id NOT IN (SELECT sample_id {_EMBEDDED})
"""
_NEWEST = f"""
    {_EMBEDDED} AND (label = :label OR :label = '') ORDER BY sample_id DESC LIMIT :limit
"""
# The columns of a StoredSample.
_STORED_SAMPLE = """
    samples.id, label, camera, stamp_ns,
    EXISTS (SELECT 1 FROM images WHERE images.sample_id = samples.id), addition, added_ns
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
UNEMBEDDED_WITH_IMAGE = f"""
    SELECT samples.id {_UNEMBEDDED} AND images.sample_id IS NOT NULL ORDER BY samples.id
"""
LAST_ADDITION = f"""
    WITH taught AS (SELECT samples.id, label, addition {_EMBEDDED})
    SELECT id, label FROM taught WHERE addition = (SELECT MAX(addition) FROM taught) ORDER BY id
"""
SAMPLES = f"""
    SELECT {_STORED_SAMPLE},
        (SELECT GROUP_CONCAT(extractor_id) FROM embeddings WHERE sample_id = samples.id)
    FROM samples ORDER BY samples.id
"""
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
EMBEDDINGS = f'SELECT sample_id, label, data {_EMBEDDED} ORDER BY sample_id'
# Without ORDER BY and without "OR :label = ''", so that SQLite uses the index of labels.
EMBEDDINGS_OF_CLASS = f'SELECT sample_id, label, data {_EMBEDDED} AND label = :label'
