//! Pieces of HTML.

/// A drawing with its heading and what it shows.
pub(crate) struct Picture {
    pub(crate) heading: String,
    pub(crate) caption: String,
    pub(crate) svg: String,
}

impl Picture {
    pub(crate) fn html(&self) -> String {
        format!(
            "<section>\n<h2>{}</h2>\n<p class=\"soft\">{}</p>\n{}</section>\n",
            escape(&self.heading),
            escape(&self.caption),
            self.svg
        )
    }
}

/// Text as it may stand in HTML: names come from files.
pub(crate) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            _ => escaped.push(c),
        }
    }
    escaped
}
