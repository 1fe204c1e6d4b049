"""A guided course in the page: a question first, then an experiment, then what it means."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from html import escape
from typing import Any

import gradio as gr

from recon import examples, figures
from recon.fourier import combined
from recon.scan import Scan
from recon.ui import events, serving, session
from recon.ui.components import FOLLOWS, follower
from recon.ui.controls import Controls
from recon.ui.events import Values, careful
from recon.ui.experiment import moves_before, result_of
from recon.ui.html import message as message_of
from recon.ui.html import table
from recon.ui.lessons import paper
from recon.ui.lessons.course import LESSONS, QUIZ, Lesson, Question
from recon.ui.lessons.experiments import Answer
from recon.ui.reconstruct import FIRST, click_download
from recon.ui.room import Room, guessed
from recon.ui.room import answered as answer_shown
from recon.ui.session import Choice
from recon.ui.viewer import Panel, reference_panel, viewer
from recon.ui.web import component

# A click on a number in the list of lessons.
PICK = """
element.addEventListener('click', event => {
  const button = event.target.closest('button');
  if (button) trigger('select', {lesson: Number(button.dataset.lesson)});
});
"""


@dataclass(frozen=True)
class Result:
    """What a lesson shows once somebody asked to find out, and on what."""

    shown_on: str
    outcome: str
    panels: dict[str, Any]
    meaning: str


@dataclass
class Shown:
    """What a visitor has before them, kept on the server: an answer may come after they went on."""

    lesson: int = 0
    answers: Any = None  # the question whose answer stands there
    about: str = ""  # what that was shown on


def found(number: int, guess: int | None, choice: Choice) -> Result:
    """Run a lesson's experiment.

    Parameters
    ----------
    number
        From 0.
    guess
        Index of the option that was chosen; None without a guess.
    """
    lesson = LESSONS[number]
    scan, shown_on, answer = _answer(number, choice)
    right = lesson.question.right
    said = "" if guess is None else "Right." if guess == right else "Not quite."
    option = escape(lesson.question.options[right])
    # Each piece in an element of its own: the page is translated text by text.
    text = f"<b><span>{said}</span> <span>{option}</span>.</b> {escape(answer.sentence)}"
    where = f'<p class="where">Shown on: {escape(shown_on)}.</p>'
    window = answer.white or figures.white(scan.truth)
    return Result(
        shown_on,
        f"<p>{text}</p>{where}{answer.extra}",
        viewer(
            [one.upright(scan) for one in answer.panels],
            window,
            scan.data_range,
            columns=answer.columns,
        ),
        _meaning(lesson),
    )


def handout(number: int, choice: Choice) -> bytes:
    """A lesson and its result as a PDF file."""
    scan, shown_on, answer = _answer(number, choice)
    panels = [one.upright(scan) for one in answer.panels]
    where = f"Shown on: {shown_on}, mask seed {choice.seed}"
    white = answer.white or figures.white(scan.truth)
    answer = replace(answer, panels=panels)
    return paper.pdf(LESSONS[number], number, answer, white, where, choice.language)


def _answer(number: int, choice: Choice) -> tuple[Scan, str, Answer]:
    scan, shown_on = _subject(LESSONS[number], choice)
    return scan, shown_on, LESSONS[number].experiment(scan, choice.seed)


def before(choice: Choice) -> dict[str, Any]:
    """What stands there while somebody guesses: the slice that is open."""
    scan = session.scan(choice)
    if scan.reference is None:
        image = scan.measure(session.sampling(choice, scan).mask).zero_filled
        shown = Panel(
            "zero_filled", "Zero-filled", "undersampled already", "Zero-filled image", "image",
            scan.upright(image),
        )  # fmt: skip
    else:
        shown = reference_panel(scan.upright(scan.reference))
    kspace = figures.log_kspace(combined(scan.kspace))
    panels = [
        Panel("kspace", "k-space", "what the scanner measures", "K-space of the slice that is open",
              "decibels", scan.upright(kspace)),
        shown,
    ]  # fmt: skip
    return viewer(panels, columns=2)


def _subject(lesson: Lesson, choice: Choice) -> tuple[Scan, str]:
    """The slice that is open, and what it is called.

    In place of the first example the one that a lesson is best seen on, and a built-in one where
    there is no truth to compare with, or one coil in a lesson about several.
    """
    scan = session.scan(session.all_coils(choice) if lesson.several else choice)
    borrows, why = bool(lesson.example) and choice.origin == FIRST, ""
    if scan.source.mask is not None:
        borrows, why = True, "; the file that is open was undersampled already"
    elif lesson.several and not borrows and not session.has_several(scan):
        borrows, why = True, "; the open slice has one coil"
    if not borrows:
        return scan, scan.source.name
    key = lesson.example or FIRST.example
    assert key is not None
    return Scan.of(examples.load(key)), examples.EXAMPLES[key].title + why


def build(shared: Controls, room: Room) -> gr.State:
    """Draw the tab.

    Parameters
    ----------
    room
        Where guesses are counted, for those who are in a class.

    Returns
    -------
    The number of the lesson, from 0, for links.
    """
    number = gr.State(0)
    answered = gr.State({})  # lesson number to whether the guess was right, None without one
    shown = gr.State(Shown())
    with gr.Row(equal_height=False, elem_classes="experiment"):
        with gr.Column(scale=1, min_width=240, elem_classes="rail wide-rail"):
            progress = gr.HTML(_progress(0, {}), js_on_load=PICK, elem_id="lesson-progress")
            heading = gr.HTML(_heading(LESSONS[0], 0), elem_id="lesson-heading")
            guess = gr.Radio(
                list(LESSONS[0].question.options),
                label="Your guess",
                type="index",
                elem_id="lesson-guess",
            )
            message = gr.HTML(elem_id="lesson-message", elem_classes="beside")
            show = gr.Button(
                "Find out", variant="primary", elem_id="lesson-show", elem_classes="main-action"
            )
            with gr.Row():
                back = gr.Button("Back", min_width=70, interactive=False, elem_id="lesson-back")
                onwards = gr.Button("Next", min_width=70, elem_id="lesson-next")
            sheet = gr.Button("Handout (PDF)", elem_id="lesson-handout")
            paper_file = gr.DownloadButton(visible="hidden", elem_id="lesson-paper")
        with gr.Column(scale=4, min_width=260, elem_classes="stage"):
            about = follower("lesson-about")
            outcome = gr.HTML(elem_id="lesson-outcome")
            panels = component("recon-viewer", before(Choice(FIRST, 0)), elem_id="lesson-panels")
            meaning = gr.HTML(elem_id="lesson-meaning")
    _quiz()

    @careful(message)
    def find_out(values: Values) -> dict[Any, Any]:
        at, chosen = values[number], values[guess]
        choice, here = shared.choice(values), values[shown]
        asked = (at, chosen, choice.questions["lesson"])
        if here.lesson != at:  # gone on while this waited
            return {message: ""}
        moves = moves_before(values[about])
        if here.answers == asked:  # of two quick clicks the second
            again = result_of("lesson", choice, here.about, moves)
            return {about: FOLLOWS | again, message: ""}
        answer_shown(values[room.code], at)
        result = found(at, chosen, choice)
        if here.lesson != at:  # gone on meanwhile: nobody has seen it
            return {message: ""}
        here.answers, here.about = asked, result.shown_on
        known = {
            **values[answered],
            at: None if chosen is None else chosen == LESSONS[at].question.right,
        }
        return {
            outcome: result.outcome,
            panels: result.panels,
            meaning: result.meaning,
            answered: known,
            about: FOLLOWS | result_of("lesson", choice, result.shown_on, moves),
            progress: _progress(at, known),
            message: "",
        }

    show.click(
        find_out,
        {number, guess, answered, shown, room.code, about, *shared.inputs},
        [panels, outcome, meaning, answered, progress, about, message],
        trigger_mode="multiple",  # the next lesson may be asked while the last one is at work
        show_progress="minimal",
        show_progress_on=[outcome],
        api_visibility="private",
        **events.LONG,
    )

    @careful(message)
    def printed(values: Values) -> dict[Any, Any]:
        at = values[number]
        data = handout(at, shared.choice(values))
        answer_shown(values[room.code], at)  # which the paper does too
        return {paper_file: serving.produce(f"lesson-{at + 1}.pdf", data), message: ""}

    sheet.click(
        printed,
        {number, room.code, *shared.inputs},
        [paper_file, message],
        show_progress="minimal",
        show_progress_on=[message],
        api_visibility="private",
        **events.LONG,
    ).success(None, js=click_download("lesson-paper"), api_visibility="private")
    guess.input(guessed, [room.code, number, guess], None, **events.quiet(queue=False))

    @careful(message)
    def turn(values: Values) -> dict[Any, Any]:
        to, known = values[number], values[answered]
        values[shown].lesson, values[shown].answers = to, None
        return {
            heading: _heading(LESSONS[to], to),
            guess: gr.Radio(list(LESSONS[to].question.options), value=None),
            back: gr.Button(interactive=to > 0),
            onwards: gr.Button(interactive=to < last),
            outcome: "",
            panels: before(shared.choice(values)),
            meaning: "",
            message: "",
            about: FOLLOWS,
            progress: _progress(to, known),
        }

    @careful(message)
    def opened(values: Values) -> dict[Any, Any]:
        if values[outcome]:
            return {message: ""}  # an old answer stays, marked as one
        return {panels: before(shared.choice(values)), message: ""}

    def pick(event: gr.EventData) -> Any:
        to = getattr(event, "lesson", None)
        return to if isinstance(to, int) and 0 <= to < len(LESSONS) else gr.skip()

    about.focus(opened, {outcome, *shared.inputs}, [panels, message], **events.quiet())
    page = [heading, guess, back, onwards, outcome, panels, meaning, message, about, progress]
    options = events.quiet()
    last = len(LESSONS) - 1
    back.click(lambda at: max(0, at - 1), number, number, **options)
    onwards.click(lambda at: min(last, at + 1), number, number, **options)
    progress.select(pick, None, number, **options)
    number.change(
        turn, {number, answered, shown, *shared.inputs}, page, **options
    )  # a link may open any lesson
    return number


def _quiz() -> None:
    with gr.Accordion("Quiz", open=False, elem_id="quiz"):
        choices = []
        for n, one in enumerate(QUIZ):
            choice = gr.Radio(list(one.options), label=one.text, type="index", elem_id=f"quiz-{n}")
            said = gr.HTML(elem_id=f"quiz-said-{n}", elem_classes="beside")
            choice.input(partial(feedback, one), choice, said, **events.quiet())
            choices.append(choice)
        check = gr.Button("Check my answers", variant="primary", elem_id="quiz-check")
        verdict = gr.HTML(elem_id="quiz-verdict")
        check.click(mark, choices, verdict, **events.quiet())


def feedback(question: Question, chosen: int | None) -> str:
    """What to say of one answer; nothing before there is one."""
    if chosen is None:
        return ""
    said = "Right." if chosen == question.right else f"Not yet: {question.options[question.right]}."
    return f'<p role="status"><b>{escape(said)}</b> {escape(question.why)}</p>'


def mark(*given: int | None) -> str:
    """All answers; questions without one keep their secret."""
    if all(chosen is None for chosen in given):
        return message_of("Choose an answer first.")
    rows = []
    for one, chosen in zip(QUIZ, given, strict=True):
        if chosen is None:
            rows.append([one.text, "no answer", ""])
        elif chosen == one.right:
            rows.append([one.text, "right", one.why])
        else:
            rows.append([one.text, f"not yet: {one.options[one.right]}", one.why])
    score = sum(chosen == one.right for one, chosen in zip(QUIZ, given, strict=True))
    return f"<p><b>{score} of {len(QUIZ)} right</b></p>" + table(
        ["question", "your answer", "why"], rows
    )


def _heading(lesson: Lesson, at: int) -> str:
    return (
        f"<h3>{at + 1}. <span>{escape(lesson.title)}</span></h3>"
        f'<p class="question">{escape(lesson.question.text)}</p>'
    )


def _meaning(lesson: Lesson) -> str:
    return (
        f"<p>{escape(lesson.explanation)}</p>"
        f'<p class="source">Source: <a href="{escape(lesson.link)}" target="_blank" '
        f'rel="noopener" lang="en">{escape(lesson.source)}</a></p>'
    )


def _progress(at: int, known: dict) -> str:
    marks = {True: "right", False: "wrong", None: "seen"}
    words = {"right": ", answered right", "wrong": ", answered wrong", "seen": ", seen"}
    cells = []
    for n, lesson in enumerate(LESSONS):
        state = marks[known[n]] if n in known else ""
        here = ' aria-current="step"' if n == at else ""
        cells.append(
            f'<li class="{state}{" here" if n == at else ""}"><button type="button" '
            f'data-lesson="{n}"{here} title="{escape(lesson.title)}" '
            f'aria-label="Lesson {n + 1}, {escape(lesson.title)}{words.get(state, "")}">'
            f"{n + 1}</button></li>"
        )
    return f'<ol class="progress" aria-label="Lessons">{"".join(cells)}</ol>'
