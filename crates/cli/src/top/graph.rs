//! Small graphs of one line.

/// Eight heights, from a line at the bottom to a full cell.
const HEIGHTS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// The last values as a graph of so many cells, the newest at the right; a gap where there was no
/// value. The height of a cell goes from nothing to the largest value that is shown.
pub(super) fn graph(values: &[Option<f64>], width: usize) -> String {
    let shown = &values[values.len().saturating_sub(width)..];
    let most = shown.iter().flatten().copied().fold(0.0, f64::max);
    let cell = |value: &Option<f64>| match value {
        Some(value) if most > 0.0 => {
            let height = (value / most * HEIGHTS.len() as f64).ceil() as usize;
            HEIGHTS[height.clamp(1, HEIGHTS.len()) - 1]
        }
        Some(_) => HEIGHTS[0],
        None => ' ',
    };
    let graph: String = shown.iter().map(cell).collect();
    format!("{graph:>width$}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_graph_shows_the_newest_values_and_leaves_gaps() {
        assert_eq!(graph(&[Some(8.0), Some(4.0), None, Some(1.0)], 4), "█▄ ▁");
        assert_eq!(graph(&[Some(8.0), Some(2.0), Some(2.0)], 2), "██");
        assert_eq!(graph(&[Some(3.0)], 3), "  █");
        assert_eq!(graph(&[Some(0.0), Some(0.0)], 2), "▁▁");
        assert_eq!(graph(&[], 2), "  ");
    }
}
