# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Class names as tools and model hubs write them; lines and JSON are in test_label_file.py."""

from __future__ import annotations

import sys

from edgetpu_retrain.model_file.metadata import label_formats
from edgetpu_retrain.model_file.metadata.label_formats import read_names, UnfitNames
import pytest

CAT_DOG = ['cat', 'dog']


@pytest.mark.parametrize(
    ('text', 'names'),
    [
        ('index,label\n0,cat\n1,dog\n', CAT_DOG),
        ('class_id name\n0 cat\n1 dog\n', CAT_DOG),
        ('Class ID\tClass Name\n1\tcat\n2\tdog\n', CAT_DOG),
        ('id;name\n2;dog\n1;cat\n', CAT_DOG),
        ('name,id\ncat,0\ndog,1\n', CAT_DOG),
        ('label\ncat\ndog\n', CAT_DOG),
        ('name,description\ncat,meows\ndog,barks\n', CAT_DOG),
        # One of the columns is the number, whichever is called so.
        ('class,name\n0,cat\n1,dog\n', CAT_DOG),
        ('label,class\n0,cat\n1,dog\n', CAT_DOG),
        ('index,label\n0,0\n1,1\n', ['0', '1']),
        # YAMNet's class map.
        ('index,mid,display_name\n0,/m/1,"Speech, x"\n1,/m/2,Music\n', ['Speech, x', 'Music']),
        ('index,label\n0,tench, Tinca tinca\n1,goldfish\n', ['tench, Tinca tinca', 'goldfish']),
        # A header in another language is one because the other lines fit.
        ('Nummer;Klasse\n0;cat\n1;dog\n', CAT_DOG),
    ],
)
def test_a_header_is_no_class(text: str, names: list[str]) -> None:
    assert read_names(text, len(names)) == names


@pytest.mark.parametrize(
    ('text', 'names'),
    [
        # As many lines as classes, none of which are numbered: these are names.
        ('label\ncat\ndog\n', ['label', 'cat', 'dog']),
        ('no label\ncat\ndog\n', ['no label', 'cat', 'dog']),
        ('#cat\n#dog\n', ['#cat', '#dog']),
        ('cent\n1 euro\n2 euro\n', ['cent', '1 euro', '2 euro']),
    ],
)
def test_a_class_is_no_header(text: str, names: list[str]) -> None:
    assert read_names(text, len(names)) == names


def test_a_shorter_list_with_a_header_may_skip_numbers() -> None:
    assert read_names('id,name\n0,cat\n2,dog\n', 3) == ['cat', '1', 'dog']


@pytest.mark.parametrize(
    ('text', 'names'),
    [
        ('0,"tench, Tinca tinca"\n1,"goldfish"\n', ['tench, Tinca tinca', 'goldfish']),
        ('"0","tench, Tinca tinca"\n"1","goldfish"\n', ['tench, Tinca tinca', 'goldfish']),
        ('"tench, Tinca tinca"\n"goldfish"\n', ['tench, Tinca tinca', 'goldfish']),
        ('"a ""big"" cat"\ndog\n', ['a "big" cat', 'dog']),
        ('0 "cat"\n1 "dog"\n', CAT_DOG),
        # Inches, not quotes.
        ('7" tablet\n10" tablet\n', ['7" tablet', '10" tablet']),
        ('"cat\ndog\n', ['"cat', 'dog']),
    ],
)
def test_quoted_names_may_contain_commas(text: str, names: list[str]) -> None:
    assert read_names(text, len(names)) == names


@pytest.mark.parametrize(
    ('text', 'classes', 'names'),
    [
        ("item { id: 1 name: 'cat' }\nitem { id: 2 name: 'dog' }", 2, CAT_DOG),
        ('item {\n  id: 2\n  name: "dog"\n}\nitem {\n  id: 1\n  name: "cat"\n}\n', 2, CAT_DOG),
        # COCO's has identifiers as names, and leaves out the background.
        (
            '#\nitem {\n name: "m"\n id: 1\n display_name: "cat"\n}\nitem { id: 3 name: "dog" }',
            4,
            ['0', 'cat', '2', 'dog'],
        ),
        (
            'item { id: 1 name: "cat" keypoints { id: 7 name: "n" } } item { id: 2 name: "dog" }',
            2,
            CAT_DOG,
        ),
        # protobuf's text format escapes the bytes of UTF-8.
        (
            "item { id: 1 name: 'Caf\\303\\251' }\nitem { id: 2 name: 'it\\'s' }",
            2,
            ['Caf\u00e9', "it's"],
        ),
    ],
)
def test_a_label_map_is_read(text: str, classes: int, names: list[str]) -> None:
    assert read_names(text, classes) == names


@pytest.mark.parametrize(
    'text',
    [
        'names: [cat, dog]',
        '# YOLO\npath: ../data\ntrain: images\nnc: 2\nnames:\n  0: cat\n  1: dog\n',
        "names: ['cat', 'dog']\nnc: 2\n",
        'names:\n- cat\n- dog\n',
        '---\n- cat\n- dog\n',
        # A Python literal, as in a gist of ImageNet's names.
        "{0: 'cat',\n 1: 'dog'}",
        "['cat', 'dog']",
        "0: 'cat'\n1: 'dog'\n",
        'id2label:\n  "0": cat\n  "1": dog\n',
    ],
)
def test_yaml_is_read(text: str) -> None:
    assert read_names(text, 2) == CAT_DOG


def test_a_word_of_yaml_is_a_name() -> None:
    assert read_names('names:\n  0: yes\n  1: no\n  2: null\n  3: 1.0\n', 4) == [
        'yes', 'no', 'null', '1.0',
    ]  # fmt: skip


def test_categories_of_coco_are_read() -> None:
    text = '{"categories": [{"id": 2, "name": "dog"}, {"id": 1, "name": "cat", "super": "x"}]}'
    assert read_names(text, 2) == CAT_DOG


@pytest.mark.parametrize(
    ('text', 'form'),
    [
        ("item { id: 1 name: 'cat' }\nitem { id: 7 name: 'dog' }", r'a label map \(pbtxt\)'),
        ("item { name: 'cat' }", r'a label map \(pbtxt\)'),
        ('names: cat', 'YAML'),
        ('names:\n  0: cat\n  7: dog\n', 'YAML'),
        ('names: [cat, dog', 'YAML'),
        ('names: &a [*a]', 'YAML'),
        ('["cat", "dog"', 'JSON or YAML'),
        ('{"0": "cat"', 'JSON or YAML'),
        ('[{"id": 1}, {"id": 2}]', 'JSON'),
        ('[{"id": [1], "name": "cat"}, {"id": {"$oid": 2}, "name": "dog"}]', 'JSON'),
        ('<!DOCTYPE html>\n<html lang="en">', 'a web page or XML'),
        ('<?xml version="1.0"?>', 'a web page or XML'),
    ],
)
def test_a_form_without_fitting_names_is_named(text: str, form: str) -> None:
    with pytest.raises(UnfitNames, match=f'^{form}'):
        read_names(text, 2)


def test_yaml_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(label_formats, 'MAX_YAML_LENGTH', 20)
    with pytest.raises(UnfitNames, match='YAML of 30 characters; 20 can be read'):
        read_names('names: [' + 'a, ' * 7 + ']', 7)


def test_yaml_without_its_library_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, 'yaml', None)
    with pytest.raises(UnfitNames, match='install it with python3 -m pip install PyYAML'):
        read_names('names: [cat, dog]', 2)
    assert read_names('cat\ndog', 2) == CAT_DOG
