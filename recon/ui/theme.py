"""The page's colours and type: one accent, for what a person can do."""

from __future__ import annotations

import gradio as gr

# No fonts from the internet: a classroom may be offline.
THEME = gr.themes.Soft(
    primary_hue="blue",
    neutral_hue="slate",
    spacing_size="sm",
    font=["system-ui", "sans-serif"],
    font_mono=["ui-monospace", "monospace"],
).set(
    # White on Gradio's own blue has a contrast of 3.7; text should have 4.5.
    button_primary_background_fill="*primary_700",
    button_primary_background_fill_hover="*primary_800",
    button_primary_background_fill_dark="*primary_700",
    button_primary_background_fill_hover_dark="*primary_600",
    button_primary_text_color="white",
    button_primary_text_color_dark="white",
    color_accent="*primary_700",
    # Quiet labels that are not taken for buttons.
    block_label_background_fill="transparent",
    block_label_background_fill_dark="transparent",
    block_title_background_fill="transparent",
    block_title_background_fill_dark="transparent",
    block_label_text_color="*neutral_700",
    block_label_text_color_dark="*neutral_200",
    block_title_text_color="*neutral_700",
    block_title_text_color_dark="*neutral_200",
    block_info_text_color="*neutral_600",
    block_info_text_color_dark="*neutral_300",
    block_label_padding="0",
    block_title_padding="0",
    block_shadow="none",
    body_text_color_subdued="*neutral_600",
    body_text_color_subdued_dark="*neutral_300",
    body_background_fill="white",
    body_background_fill_dark="*neutral_950",
    block_border_width="0px",
    layout_gap="10px",
    link_text_color="*primary_700",
    link_text_color_dark="*primary_300",
    link_text_color_visited="*primary_700",
    link_text_color_visited_dark="*primary_300",
)
