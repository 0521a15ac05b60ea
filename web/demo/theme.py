"""The look of the page: the tokens of the live page, told to Gradio as a theme, and what a theme cannot say."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import quote

import gradio as gr
from gradio.themes.utils.fonts import Font

HERE = Path(__file__).parent
LIVE = HERE.parent / "live"
_END_OF_TOKENS = "*,\n"  # what follows in theme.css is about elements that Gradio has its own of

# Gradio's variables, by the token that each is to be; a token knows light from dark by itself.
_TOKENS = {
    "wall": ("body_background_fill", "background_fill_primary", "block_label_background_fill", "input_background_fill"),
    "sheet": (
        "block_background_fill",
        "panel_background_fill",
        "button_secondary_background_fill",
        "checkbox_label_background_fill",
        "checkbox_background_color",
        "button_cancel_background_fill",
    ),
    "well": (
        "background_fill_secondary",
        "input_background_fill_hover",
        "button_secondary_background_fill_hover",
        "checkbox_label_background_fill_hover",
        "code_background_fill",
        "button_cancel_background_fill_hover",
        "table_odd_background_fill",
    ),
    "line": ("border_color_primary", "block_border_color", "block_label_border_color", "checkbox_label_border_color"),
    "line-strong": (
        "input_border_color",
        "checkbox_border_color",
        "button_secondary_border_color",
        "button_cancel_border_color",
    ),
    "ink": (
        "body_text_color",
        "block_title_text_color",
        "button_secondary_text_color",
        "checkbox_label_text_color",
        "accordion_text_color",
        "button_cancel_text_color",
    ),
    "ink-soft": (
        "body_text_color_subdued",
        "block_info_text_color",
        "block_label_text_color",
        "input_placeholder_color",
    ),
    "accent": (
        "color_accent",
        "border_color_accent",
        "slider_color",
        "loader_color",
        "link_text_color",
        "link_text_color_visited",
        "input_border_color_focus",
        "button_primary_background_fill",
        "button_primary_border_color",
        "checkbox_background_color_selected",
        "checkbox_border_color_selected",
        "checkbox_border_color_focus",
        "stat_background_fill",
    ),
    "accent-hover": ("button_primary_background_fill_hover", "link_text_color_hover", "link_text_color_active"),
    "accent-wash": ("color_accent_soft", "border_color_accent_subdued", "checkbox_label_background_fill_selected"),
    "on-accent": ("button_primary_text_color",),
    "warn-wash": ("error_background_fill",),
    "warn-ink": ("error_text_color", "error_border_color", "error_icon_color"),
}
# Those that look alike in light and dark.
_SHAPES = {
    "block_radius": "var(--round-m)",
    "container_radius": "var(--round-m)",
    "block_label_radius": "0 0 var(--round-s) 0",
    "input_radius": "var(--round-s)",
    "button_large_radius": "999px",
    "button_medium_radius": "999px",
    "button_small_radius": "999px",
    "button_large_text_size": "var(--text-m)",
    "button_large_text_weight": "500",
    "button_large_padding": "0.7rem 1.1rem",
    "block_label_text_size": "var(--text-s)",
    "block_title_text_weight": "500",
    "block_border_width": "1px",
    "block_shadow": "none",
    "button_primary_shadow": "none",
    "button_secondary_shadow": "none",
    "input_shadow": "none",
    "checkbox_shadow": "none",
    "input_border_width": "1px",
    "layout_gap": "var(--gap-m)",
}
_BOTH = {"block_shadow", "button_primary_shadow", "button_secondary_shadow", "input_shadow", "block_border_width"}


def theme() -> gr.themes.Base:
    """Gradio's plain theme in our colours and shapes; no font is fetched from anywhere."""
    values = {name: f"var(--{token})" for token, names in _TOKENS.items() for name in names}
    dark = {f"{name}_dark": value for name, value in (values | {n: _SHAPES[n] for n in _BOTH}).items()}
    plain = gr.themes.Base(
        font=[Font("system-ui"), Font("sans-serif")], font_mono=[Font("ui-monospace"), Font("monospace")]
    )
    known = vars(plain)
    return plain.set(**values, **_SHAPES, **{name: value for name, value in dark.items() if name in known})


def tokens() -> str:
    """The custom properties of the live page, as they are."""
    return (LIVE / "theme.css").read_text().partition(_END_OF_TOKENS)[0]


def head() -> str:
    """What goes into the page's head: the icon, the tokens, our rules, and what Gradio does not do with files."""
    rules, script = ((HERE / name).read_text() for name in ("page.css", "page.js"))
    return f'<link rel="icon" href="{icon()}"><style>{tokens()}{rules}</style><script type="module">{script}</script>'


def icon() -> str:
    """That of the live page, as a data URL."""
    return f"data:image/svg+xml,{quote((LIVE / 'icon.svg').read_text())}"
