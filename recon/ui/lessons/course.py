"""The course: twelve questions, each answered by an experiment on the slice that is open."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from recon.scan import Scan
from recon.ui.lessons import coils, experiments
from recon.ui.lessons.experiments import Answer


@dataclass(frozen=True)
class Question:
    """A question with its answers, of which one is right, and why."""

    text: str
    options: tuple[str, ...]
    right: int
    why: str = ""


@dataclass(frozen=True)
class Lesson:
    """A step of the course: a question, the experiment that answers it, what it means."""

    title: str
    question: Question
    experiment: Callable[[Scan, int], Answer]
    explanation: str
    source: str
    link: str
    example: str = ""  # shown on this one, where the first example is open
    several: bool = False  # is about all coils of a scan that has several


LESSONS = (
    Lesson(
        "What is k-space?",
        Question(
            "The scanner measures k-space, not the image. If a single point of k-space were all "
            "that is measured, what would the image show?",
            ("One bright pixel", "A pattern of stripes", "A blurred head", "Nothing"),
            1,
        ),
        experiments.one_point,
        "Every point of k-space is one wave: its place tells how fine the stripes are and which "
        "way they run, its value how strong they are and where they start. The image is the sum "
        "of all waves: the inverse Fourier transform.",
        "Twieg 1983, The k-trajectory formulation of the NMR imaging process",
        "https://doi.org/10.1118/1.595331",
    ),
    Lesson(
        "Centre and edge",
        Question(
            "We keep only the middle of k-space, or only what lies outside of it. What does the "
            "image made from the outer part show?",
            ("A dark, blurred head", "The outlines and fine detail", "Half of the head", "Noise"),
            1,
        ),
        experiments.centre_and_edge,
        "Slow waves, near the centre, carry brightness and shape; in pictures of a body that is "
        "most of the energy. Fast waves, far out, carry edges and detail. So a scan that leaves "
        "out the edge is blurred, and one that leaves out the centre lacks brightness.",
        "Mezrich 1995, A perspective on k-space",
        "https://doi.org/10.1148/radiology.195.2.7724743",
    ),
    Lesson(
        "Skipping lines",
        Question(
            "Lines are measured one after another, so half the lines take half the time. We "
            "measure every second line only. What happens to the image?",
            (
                "It gets half as sharp",
                "It gets half as bright, nothing else",
                "A second copy appears, shifted by half the field of view",
                "Every second column is black",
            ),
            2,
        ),
        experiments.every_second_line,
        "Skipping every second line halves the field of view that the lines can tell apart: what "
        "lies outside of it folds back in. That is aliasing, and it cannot be undone without "
        "knowing something else about the image.",
        "Nyquist 1928; Shannon 1949",
        "https://doi.org/10.1109/JRPROC.1949.232969",
    ),
    Lesson(
        "The point spread function",
        Question(
            "A mask turns one bright point into a pattern: its point spread function. What does "
            "it do to a whole image?",
            (
                "Only the brightest pixel changes",
                "Every pixel is replaced by the pattern, and all patterns add up",
                "The image is multiplied by the pattern",
            ),
            1,
        ),
        experiments.point_spread_of_two_masks,
        "Undersampling multiplies k-space by the mask, so it convolves the image with the "
        "transform of the mask. Isolated spikes in it make ghosts, a floor of many small values "
        "makes something like noise, a wide main lobe makes blur.",
        "Lustig, Donoho, Pauly 2007, Sparse MRI",
        "https://doi.org/10.1002/mrm.21391",
    ),
    Lesson(
        "Why random?",
        Question(
            "Two masks measure the same number of lines: one at nearly equal distances, one at "
            "random, both with a block in the middle. Which artefact is easier to tell from "
            "anatomy?",
            (
                "Ghosts of the equispaced mask: they are sharp",
                "The noise-like haze of the random mask",
                "There is no difference",
            ),
            1,
        ),
        experiments.random_or_regular,
        "A ghost looks like anatomy, and nothing in the image says that it is not. Haze does not "
        "look like anything, so a method that knows what images look like can take it away. "
        "Randomness does not remove aliasing, it makes it incoherent. Mind that the SSIM of the "
        "zero-filled images does not say so: it is what can be repaired that counts.",
        "Lustig, Donoho, Pauly 2007, Sparse MRI",
        "https://doi.org/10.1002/mrm.21391",
        "phantom",
    ),
    Lesson(
        "Zero-filled",
        Question(
            "The lines that were not measured are set to zero and the image is computed. How does "
            "its SSIM fall as the acceleration grows from 2x to 16x?",
            (
                "Evenly, until nothing is left",
                "Not at all up to 4x, then suddenly",
                "Fast at first, then ever slower",
            ),
            2,
        ),
        experiments.score_over_acceleration,
        "What remains in the end is the middle of k-space, which every mask keeps. Scores of "
        "different accelerations can only be compared with the zero-filled image beside them: the "
        "share of the gap that a method closes says more than its SSIM.",
        "Zbontar et al. 2018, fastMRI",
        "https://arxiv.org/abs/1811.08839",
    ),
    Lesson(
        "Compressed sensing",
        Question(
            "Compressed sensing looks for the image with the least total variation, the fewest "
            "edges, that fits the measured lines. What if it minds edges too much?",
            ("Noise grows", "The image turns into flat patches", "It takes longer, nothing else"),
            1,
        ),
        experiments.compressed_sensing_strengths,
        "Medical images are nearly piecewise smooth, so few edges is a good guess about an image "
        "nobody has seen. It is a guess: the less it counts the more aliasing may stay, the more "
        "it counts the flatter fine texture becomes. A network learns its guess from images.",
        "Lustig, Donoho, Pauly 2007; Rudin, Osher, Fatemi 1992",
        "https://doi.org/10.1016/0167-2789(92)90242-F",
    ),
    Lesson(
        "A network",
        Question(
            "A ResNet has seen thousands of zero-filled images and their originals. It gets a "
            "zero-filled magnitude image, nothing else. What can it not know?",
            (
                "What heads look like",
                "Which lines of k-space were measured",
                "What aliasing looks like",
            ),
            1,
        ),
        experiments.network,
        "It removes what looked like aliasing in its training. But it never sees k-space, so its "
        "image need not agree with what the scanner measured. The sentence says by how much.",
        "He et al. 2016; Zbontar et al. 2018",
        "https://doi.org/10.1109/CVPR.2016.90",
    ),
    Lesson(
        "Data consistency",
        Question(
            "After each step of a network the measured lines are put back into k-space. What "
            "does that guarantee?",
            (
                "That the image is right",
                "That the image agrees with everything that was measured",
                "That nothing is made up",
            ),
            1,
        ),
        experiments.data_consistency,
        "The network can then only decide about lines that nobody measured, and each step starts "
        "from an image that fits the scan. What stands on the other lines is still a guess: the "
        "test “Out of distribution” measures how good it is on another anatomy.",
        "Schlemper et al. 2018",
        "https://doi.org/10.1109/TMI.2017.2760978",
    ),
    Lesson(
        "Why many coils are faster",
        Question(
            "Every second line is measured, so two copies of the image lie on each other. One coil "
            "cannot part them. Eight coils around the object measure the same lines. What changes?",
            (
                "Nothing: every coil sees the same two copies",
                "The noise is averaged, the copies stay",
                "Each coil weights the copies differently, and they can be solved for",
            ),
            2,
        ),
        coils.many_coils,
        "A coil sees best what is near to it. So in each coil the same two pixels are added with "
        "other weights: as many equations as coils, in two unknowns. The weights are the "
        "sensitivity maps, found in the middle of k-space. This is SENSE, and GRAPPA does the same "
        "in k-space. Scanners with several coils do it.",
        "Pruessmann et al. 1999, SENSE",
        "https://doi.org/10.1002/(SICI)1522-2594(199911)42:5%3C952::AID-MRM16%3E3.0.CO;2-S",
        example="phantom-coils",
        several=True,
    ),
    Lesson(
        "What it costs: noise",
        Question(
            "Eight coils part four copies as well as two. What is the price of going from 2x to "
            "4x?",
            (
                "Noise: more than √2 times, which half the lines would cost anyway",
                "Sharpness: the image is blurred",
                "Nothing, as long as there are more coils than copies",
            ),
            0,
        ),
        coils.cost_of_coils,
        "Half the lines give √2 times the noise, as in any shorter scan. Beyond that, pixels that "
        "the coils see nearly alike are parted by large numbers of opposite sign, which multiply "
        "noise by the g-factor: it grows when the number of copies nears the number of coils that "
        "see them differently.",
        "Pruessmann et al. 1999; Robson et al. 2008",
        "https://doi.org/10.1002/mrm.21728",
        example="phantom-coils",
        several=True,
    ),
    Lesson(
        "Trust",
        Question(
            "A small dark spot, two pixels wide, is added to the object before it is scanned with "
            "8x fewer lines. Is it in the reconstruction with the best SSIM?",
            (
                "Yes: the best SSIM shows everything",
                "Only if it was in the training data",
                "Perhaps: SSIM does not say",
            ),
            2,
        ),
        experiments.small_spot,
        "SSIM is a mean over the whole image, of which a spot is a few pixels. Part of its "
        "contrast lies on lines that were not measured, which with one coil no method can know. "
        "Test for what you need to see; the tab “Can I trust it?” does so.",
        "Antun et al. 2020, On instabilities of deep learning in image reconstruction",
        "https://doi.org/10.1073/pnas.1907377117",
    ),
)

QUIZ = (
    Question(
        "A scan measures every fourth line and nothing else. The zero-filled image shows...",
        ("one blurred copy", "four overlapping copies", "a quarter of the object"),
        1,
        "Regular skipping folds the image: four copies, a quarter of the field of view apart.",
    ),
    Question(
        "Method A has SSIM 0.80 on images from the internet, method B 0.70 on raw scanner data. "
        "Which one is better?",
        ("A", "B", "It cannot be said"),
        2,
        "Processed images flatter nearly every method; only the same data can be compared.",
    ),
    Question(
        "A network reaches SSIM 0.95. Its image...",
        (
            "may still miss a lesion",
            "contains everything that matters",
            "equals the reference to 5 %",
        ),
        0,
        "SSIM averages over the whole image; a lesion is a few pixels.",
    ),
    Question(
        "The same slice is scanned with 20 random masks, and all 20 reconstructions agree "
        "somewhere. There, the image is...",
        ("certainly right", "either right, or wrong in the same way every time"),
        1,
        "Agreement shows what does not depend on the mask. A bias of the method is shared by all.",
    ),
    Question(
        "Data consistency means that...",
        (
            "measured lines of k-space are kept",
            "the training data were consistent",
            "two methods agree",
        ),
        0,
        "It fixes what was measured, and only that.",
    ),
    Question(
        "“4x” with a random mask stands for...",
        (
            "exactly a quarter of the lines",
            "a quarter of the lines on average",
            "a scan that takes 4 seconds",
        ),
        1,
        "Each line is drawn by chance; the achieved acceleration scatters around the nominal one.",
    ),
)
