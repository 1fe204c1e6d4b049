"""A guided course in the page: a question first, then an experiment, then what it means."""

from __future__ import annotations

from html import escape
from typing import Any

import gradio as gr

from recon import figures
from recon.ui import bench
from recon.ui.controls import Controls
from recon.ui.lessons.course import LESSONS, QUIZ, Lesson
from recon.ui.viewer import SCRIPT, viewer


def build(shared: Controls) -> gr.State:
    """Draw the tab; experiments use the slice that is open on the first one.

    Returns
    -------
    The number of the lesson, from 0, for links.
    """
    number = gr.State(0)
    answered = gr.State({})  # lesson number to whether the guess was right, None without one
    progress = gr.HTML(_progress(0, {}), elem_id="lesson-progress")
    heading = gr.HTML(_heading(LESSONS[0], 0), elem_id="lesson-heading")
    guess = gr.Radio(
        list(LESSONS[0].question.options), label="Your guess", type="index", elem_id="lesson-guess"
    )
    message = gr.HTML(elem_id="lesson-message", elem_classes="beside")
    with gr.Row():
        show = gr.Button("Find out", variant="primary", elem_id="lesson-show")
        back = gr.Button("Back", elem_id="lesson-back")
        onwards = gr.Button("Next", elem_id="lesson-next")
    outcome = gr.HTML(elem_id="lesson-outcome")
    panels = gr.HTML(js_on_load=SCRIPT, elem_id="lesson-panels")
    meaning = gr.HTML(elem_id="lesson-meaning")
    with gr.Accordion("Quiz", open=False, elem_id="quiz"):
        choices = [
            gr.Radio(list(one.options), label=one.text, type="index", elem_id=f"quiz-{n}")
            for n, one in enumerate(QUIZ)
        ]
        check = gr.Button("Check my answers", variant="primary", elem_id="quiz-check")
        verdict = gr.HTML(elem_id="quiz-verdict")

    def find_out(at: int, chosen: int | None, known: dict, *values: Any) -> dict[Any, Any]:
        lesson = LESSONS[at]
        choice, scan, _ = bench.subject(values)
        answer = lesson.experiment(scan, choice.seed)
        right = lesson.question.right
        known = {**known, at: None if chosen is None else chosen == right}
        said = "" if chosen is None else "Right. " if chosen == right else "Not quite. "
        text = f"<b>{said}{escape(lesson.question.options[right])}.</b> {escape(answer.sentence)}"
        window = answer.white or figures.white(scan.truth)
        return {
            outcome: f"<p>{text}</p>{answer.extra}",
            panels: viewer([one.upright(scan) for one in answer.panels], window),
            meaning: _meaning(lesson),
            answered: known,
            progress: _progress(at, known),
        }

    bench.run(
        show.click,
        find_out,
        [number, guess, answered],
        shared,
        [panels, outcome, meaning, answered, progress],
        message,
    )

    def turn(to: int, known: dict) -> dict[Any, Any]:
        return {
            heading: _heading(LESSONS[to], to),
            guess: gr.Radio(list(LESSONS[to].question.options), value=None),
            outcome: "",
            panels: "",
            meaning: "",
            message: "",
            progress: _progress(to, known),
        }

    page = [heading, guess, outcome, panels, meaning, message, progress]
    options: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}
    last = len(LESSONS) - 1
    back.click(lambda at: max(0, at - 1), number, number, **options)
    onwards.click(lambda at: min(last, at + 1), number, number, **options)
    number.change(turn, [number, answered], page, **options)  # a link may open any lesson

    def mark(*given: int | None) -> str:
        rows = []
        for one, chosen in zip(QUIZ, given, strict=True):
            good = chosen == one.right
            rows.append([one.text, "right" if good else "not yet", f"{one.why}" if good else
                         f"{one.options[one.right]}: {one.why}"])  # fmt: skip
        score = sum(chosen == one.right for one, chosen in zip(QUIZ, given, strict=True))
        return f"<p><b>{score} of {len(QUIZ)}</b></p>" + bench.table(["", "", ""], rows)

    check.click(mark, choices, verdict, **options)
    return number


def _heading(lesson: Lesson, at: int) -> str:
    return (
        f"<h3>{at + 1}. {escape(lesson.title)}</h3>"
        f'<p class="question">{escape(lesson.question.text)}</p>'
    )


def _meaning(lesson: Lesson) -> str:
    return (
        f"<p>{escape(lesson.explanation)}</p>"
        f'<p class="source">Source: <a href="{escape(lesson.link)}" target="_blank" '
        f'rel="noopener">{escape(lesson.source)}</a></p>'
    )


def _progress(at: int, known: dict) -> str:
    marks = {True: "right", False: "wrong", None: "seen"}
    cells = "".join(
        f'<li class="{marks[known[n]] if n in known else ""}{" here" if n == at else ""}" '
        f'title="{escape(lesson.title)}">{n + 1}</li>'
        for n, lesson in enumerate(LESSONS)
    )
    return f'<ol class="progress" aria-label="Lessons">{cells}</ol>'
