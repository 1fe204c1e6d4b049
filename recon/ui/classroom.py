"""The tab of a class: a code to join with, and what the teacher shows: guesses and leaderboards."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Any

import gradio as gr

from recon.errors import InputError
from recon.ui import events, html
from recon.ui.classes import MEMBERS, NAME, Entry, nickname
from recon.ui.components import lead
from recon.ui.html import table
from recon.ui.lessons.course import LESSONS, Lesson
from recon.ui.room import CLASSES, Room, me

SHOWN = 20  # entries of a leaderboard on the page
EVERY = 4  # seconds between two looks of the one who began the class


def bars(lesson: Lesson, counts: Sequence[int], reveal: bool) -> str:
    """Guesses of a lesson as bars; which one is right only where it is asked for."""
    total, rows = sum(counts), []
    for number, (option, count) in enumerate(zip(lesson.question.options, counts, strict=True)):
        right = reveal and number == lesson.question.right
        share = count / total if total else 0
        rows.append(
            f'<li class="{"right" if right else ""}"><span>{escape(option)}'
            f"{' ✓ right' if right else ''}</span>"
            f'<i style="width: {share:.1%}"></i><b>{count}</b></li>'
        )
    word = "guess" if total == 1 else "guesses"
    return (
        f'<div class="poll"><p class="question">{escape(lesson.question.text)}</p>'
        f"<ul>{''.join(rows)}</ul><p>{total} {word}</p></div>"
    )


def nobody(lesson: Lesson, reveal: bool) -> str:
    """What a class will see of a lesson, for whoever is in none."""
    return bars(lesson, [0] * len(lesson.question.options), reveal)


def leaderboards(boards: dict[str, list[Entry]]) -> str:
    """The best masks of a class, by question. Names are strangers' words."""
    if not boards:
        return (
            "<p>No mask yet: choose lines in the Sampling lab, then <b>Send to the class</b>.</p>"
        )
    parts = []
    for question, entries in boards.items():
        best = entries[:SHOWN]
        places = [1 + sum(other.ssim > entry.ssim for other in entries) for entry in best]
        rows = [
            [f"{place}", entry.name, f"{entry.ssim:.4f}", f"{entry.lines}"]
            for place, entry in zip(places, best, strict=True)
        ]
        more = len(entries) - len(best)
        parts.append(
            f"<h4>{escape(question)}</h4>{table(['', 'name', 'SSIM', 'lines'], rows)}"
            + (f"<p>and {more} more</p>" if more > 0 else "")
        )
    return "".join(parts)


def build(here: Room, tab: gr.Tab) -> gr.Textbox:
    """Draw the tab.

    Returns
    -------
    The field of the code, for links.
    """
    with gr.Row(equal_height=False, elem_classes="experiment", elem_id="view-class"):
        with gr.Column(scale=1, min_width=200, elem_classes="rail wide-rail"):
            lead(
                "A class shares <b>masks</b> that you send from the Sampling lab and your "
                "<b>guesses</b> in the lessons, under a nickname. Nobody has to join. All of it "
                "stays in the memory of this server, and is gone after a day."
            )
            code = gr.Textbox(label="Class code", max_length=6, elem_id="class-code")
            name = gr.Textbox(label="Nickname", max_length=NAME, elem_id="class-name")
            join = gr.Button("Join", variant="primary", elem_id="class-join")
            leave = gr.Button("Leave", visible=False, elem_id="class-leave")
            message = gr.HTML(elem_id="class-message", elem_classes="beside")
            start = gr.Button("Start a class", elem_id="class-start")
            refresh = gr.Button("Refresh", visible=False, elem_id="class-refresh")
        with gr.Column(scale=4, min_width=260, elem_classes="stage"):
            head = gr.HTML(_head("", 0), elem_id="class-head")
            with gr.Row():
                lesson = gr.Dropdown(
                    [(f"Lesson {n + 1}, {one.title}", n) for n, one in enumerate(LESSONS)],
                    value=0,
                    label="Guesses in the lesson",
                    filterable=False,
                    elem_id="class-lesson",
                )
                reveal = gr.Checkbox(label="Show which is right", elem_id="class-reveal")
            poll = gr.HTML(nobody(LESSONS[0], False), elem_id="class-poll")
            board = gr.HTML(elem_id="class-board")
    timer = gr.Timer(EVERY, active=False)
    shown = [head, poll, board]

    def look(at: str, number: int, right: bool) -> dict[Any, Any]:
        one = LESSONS[number]
        if not at:
            return {head: _head("", 0), poll: nobody(one, bool(right)), board: ""}
        try:
            counts = CLASSES.counts(at, number, len(one.question.options))
            return {
                head: _head(at, CLASSES.size(at)),
                poll: bars(one, counts, bool(right)),
                board: leaderboards(CLASSES.boards(at)),
            }
        except InputError as error:  # it has ended
            return {head: html.message(str(error)), poll: "", board: ""}

    def began() -> dict[Any, Any]:
        try:
            made = CLASSES.start(me())
        except InputError as error:
            return {message: html.message(str(error))}
        return {**_inside(made), timer: gr.Timer(active=True), message: ""}

    def joined(wanted: str, called: str) -> dict[Any, Any]:
        try:
            found = CLASSES.join(wanted, me(), called)
        except InputError as error:
            return {message: html.message(str(error))}
        return {**_inside(found), message: f"<p>You are in, as {escape(nickname(called))}.</p>"}

    def left(at: str) -> dict[Any, Any]:
        if at:
            CLASSES.leave(at, me())
        return {**_inside(""), timer: gr.Timer(active=False), message: ""}

    def _inside(at: str) -> dict[Any, Any]:
        inside = bool(at)
        return {
            here.code: at,
            code: at,
            leave: gr.Button(visible=inside),
            refresh: gr.Button(visible=inside),
            start: gr.Button(visible=not inside),  # another one would hide the first
        }

    options = events.quiet(queue=False)
    moved = [here.code, code, leave, refresh, start, timer, message]
    asked = [here.code, lesson, reveal]
    for done in (
        start.click(began, None, moved, **options),
        join.click(joined, [code, name], moved, **options),
        leave.click(left, here.code, moved, **options),
    ):
        # A state that changes outside of the queue tells nobody.
        done.then(look, asked, shown, **options)
    gr.on(
        [lesson.input, reveal.input, refresh.click, timer.tick, tab.select],
        look,
        asked,
        shown,
        **options,
    )
    return code


def _head(code: str, members: int) -> str:
    if not code:
        return (
            "<p>In no class. Join one with the code that your teacher shows, or start one: it is "
            f'for {MEMBERS} people at most.</p><ol class="steps">'
            "<li>Whoever starts a class shows its code; the others join with it, on a phone too."
            "</li>"
            "<li>In a lesson everybody guesses before finding out. The guesses stand here as bars, "
            "without names.</li>"
            "<li>In the Sampling lab everybody looks for the best mask. The best ones stand here, "
            "with nicknames.</li></ol>"
        )
    return (
        f'<p class="class-code">Class code <b>{escape(code)}</b> '
        f"<span>{members} {'member' if members == 1 else 'members'}</span></p>"
    )
