//! Colours, and drawing into a text.
//!
//! The style sheet replaces the greys by those of the light or dark page; the colours are legible
//! on both.

use plotters::coord::ranged1d::ValueFormatter;
use plotters::coord::{Shift, cartesian::Cartesian2d};
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use crate::evaluation::EvaluateError;

pub(crate) const INK: RGBColor = RGBColor(0x11, 0x11, 0x11);
pub(crate) const SOFT: RGBColor = RGBColor(0x77, 0x77, 0x77);
pub(crate) const LINE: RGBColor = RGBColor(0xdd, 0xdd, 0xdd);
pub(crate) const LOSS: RGBColor = RGBColor(0x3b, 0x82, 0xc4);
pub(crate) const CLEAN: RGBColor = RGBColor(0x8f, 0xb8, 0xde);
pub(crate) const UNSOLVED: RGBColor = RGBColor(0xd9, 0x97, 0x2b);
pub(crate) const VIOLATING: RGBColor = RGBColor(0xc8, 0x3e, 0x4d);
const SERIES: [RGBColor; 6] = [
    RGBColor(0xd9, 0x72, 0x2b),
    RGBColor(0x3b, 0x82, 0xc4),
    RGBColor(0x2f, 0x9e, 0x77),
    RGBColor(0xc2, 0x52, 0x8b),
    RGBColor(0x8a, 0x6f, 0xd1),
    RGBColor(0x9a, 0x8a, 0x2a),
];

pub(crate) type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;

/// The colour of the nth series.
pub(crate) fn series(n: usize) -> RGBColor {
    SERIES[n % SERIES.len()]
}

/// A count as a number of pixels.
pub(crate) fn pixels(count: usize) -> i32 {
    i32::try_from(count).unwrap_or(i32::MAX)
}

/// What `paint` draws, as SVG.
pub(crate) fn svg(
    size: (u32, u32),
    paint: impl FnOnce(&Area<'_>) -> Result<(), EvaluateError>,
) -> Result<String, EvaluateError> {
    let mut text = String::new();
    {
        let area = SVGBackend::with_string(&mut text, size).into_drawing_area();
        paint(&area)?;
        area.present().map_err(drawing)?;
    }
    Ok(text)
}

pub(crate) fn drawing(error: impl std::fmt::Display) -> EvaluateError {
    EvaluateError::Drawing(error.to_string())
}

/// Writes a text whose left edge, middle or right edge is at a place, centred vertically.
pub(crate) fn write(
    area: &Area<'_>,
    text: &str,
    at: (i32, i32),
    side: HPos,
    size: u32,
    colour: RGBColor,
) -> Result<(), EvaluateError> {
    let style = ("sans-serif", size).into_text_style(area).color(&colour);
    let style = style.pos(Pos::new(side, VPos::Center));
    area.draw(&Text::new(text.to_owned(), at, style)).map_err(drawing)
}

/// What an axis is called, and how its values are written.
pub(crate) type Axis<'a> = (&'a str, &'a dyn Fn(&f64) -> String);

/// Draws the axes of a chart, and the lines that go with their values.
pub(crate) fn axes<X, Y>(
    chart: &mut ChartContext<'_, SVGBackend<'_>, Cartesian2d<X, Y>>,
    x: Axis<'_>,
    y: Axis<'_>,
) -> Result<(), EvaluateError>
where
    X: Ranged<ValueType = f64> + ValueFormatter<f64>,
    Y: Ranged<ValueType = f64> + ValueFormatter<f64>,
{
    chart
        .configure_mesh()
        .light_line_style(TRANSPARENT)
        .bold_line_style(LINE)
        .axis_style(SOFT)
        .label_style(("sans-serif", 15, &SOFT))
        .x_desc(x.0)
        .y_desc(y.0)
        .x_label_formatter(x.1)
        .y_label_formatter(y.1)
        .draw()
        .map_err(drawing)
}

/// A filled box between two corners.
pub(crate) fn block(
    area: &Area<'_>,
    from: (i32, i32),
    to: (i32, i32),
    colour: RGBColor,
) -> Result<(), EvaluateError> {
    area.draw(&Rectangle::new([from, to], colour.filled())).map_err(drawing)
}
