//! The report: one HTML page that needs nothing but itself.

mod budget_plane;
mod fronts;
mod markup;
mod ranking;
mod tables;
mod theme;
mod trade_off;

use crate::evaluation::{EvaluateError, Evaluation};
use markup::{Picture, escape};

const STYLE: &str = include_str!("report/style.css");

impl Evaluation {
    /// The report: one self-contained HTML page with tables and pictures, for light and dark.
    ///
    /// # Errors
    /// When a picture cannot be drawn.
    pub fn report_html(&self) -> Result<String, EvaluateError> {
        let mut pictures = vec![ranking::draw(self)?, trade_off::draw(self)?];
        pictures.extend(fronts::draw_alone(self)?);
        pictures.extend(fronts::draw_pair(self)?);
        pictures.extend(budget_plane::draw(self)?);
        let title = format!("Finding plans on {}", self.table.device());
        Ok(format!(
            "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
             <title>{title}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n<main>\n\
             <h1>{title}</h1>\n{lead}\n{overall}\n{pictures}\n{details}\n{scoring}\n{rows}\n\
             </main>\n</body>\n</html>\n",
            title = escape(&title),
            lead = tables::lead(self),
            overall = tables::overall(self),
            pictures = pictures.iter().map(Picture::html).collect::<String>(),
            details = tables::details(self),
            scoring = tables::SCORING,
            rows = tables::removed_rows(self),
        ))
    }

    /// The places of the strategies that pictures with room for a few show: in the order in which
    /// they were asked for, without the exhaustive search and pure luck.
    fn shown_strategies(&self, at_most: usize) -> Vec<usize> {
        let names = self.settings.strategies.iter().map(|recipe| &recipe.name).enumerate();
        let plain = names.filter(|(_, name)| *name != "optimum" && !name.starts_with("random-"));
        let shown: Vec<usize> = plain.map(|(s, _)| s).take(at_most).collect();
        if shown.is_empty() { vec![0] } else { shown }
    }
}
