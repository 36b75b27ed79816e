# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""The SQL of questions; ``:extractor`` is the identity of an extractor."""

_OPEN = 'FROM questions JOIN extractors ON extractors.id = extractor_id WHERE NOT closed'
_OF_EXTRACTOR = f'{_OPEN} AND identity = :extractor'

COUNT = f'SELECT COUNT(*) {_OF_EXTRACTOR}'
# The columns of a StoredQuestion.
NEWEST = f"""
    SELECT questions.id, kind, camera, stamp_ns, asked_ns, classification, model_version,
        jpeg IS NOT NULL
    {_OF_EXTRACTOR} ORDER BY questions.id DESC LIMIT :limit
"""
# Size in bytes of each open question about a frame: its embedding as float32, and its picture.
SIZES = f"""
    SELECT questions.id, identity, 4 * dimension + COALESCE(LENGTH(jpeg), 0) {_OPEN}
    AND kind NOT IN ('proposal', 'disagreement') ORDER BY questions.id
"""
OF_FLEET = f"""
    SELECT questions.id {_OPEN} AND kind IN ('proposal', 'disagreement') ORDER BY questions.id
"""
# The answered questions about samples of the fleet, and whether the answers are still samples.
ANSWERED = """
    SELECT questions.id, sample_id IN (SELECT id FROM samples)
    FROM questions JOIN changed_questions ON question_id = questions.id
    WHERE closed AND sample_id != 0 AND kind IN ('proposal', 'disagreement')
"""
LAST_ID = "SELECT COALESCE(MAX(seq), 0) FROM sqlite_sequence WHERE name = 'questions'"
DISMISSED = """
    SELECT questions.id FROM questions JOIN extractors ON extractors.id = extractor_id
    WHERE closed AND identity = :extractor
    AND questions.id IN (SELECT question_id FROM changed_questions WHERE sample_id = 0)
    ORDER BY questions.id DESC LIMIT :limit
"""
EMBEDDING = 'SELECT data FROM questions WHERE id = :question_id'
PICTURE = """
    SELECT jpeg FROM questions WHERE id = :question_id AND NOT closed AND jpeg IS NOT NULL
"""
TO_ANSWER = """
    SELECT id, camera, stamp_ns, asked_ns, extractor_id, data, jpeg FROM questions
    WHERE id = :question_id AND NOT closed
"""
