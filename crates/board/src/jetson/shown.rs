//! What controls show.

use std::collections::BTreeMap;

use super::control::{Control, Layout};
use super::plan::Texts;
use crate::files::Files;
use crate::linux::kernel_text::{text, unreadable};
use crate::sensor::Absence;

/// What controls show, or why they do not.
#[derive(Debug, Clone, Default)]
pub(super) struct Shown(BTreeMap<Control, Result<String, Absence>>);

impl Shown {
    pub(super) fn read(
        files: &dyn Files,
        layout: &Layout,
        controls: impl IntoIterator<Item = Control>,
    ) -> Self {
        let show = |control: Control| {
            let path = layout.path(control).ok_or(Absence::Missing);
            (control, path.and_then(|path| text(files, &path)))
        };
        Self(controls.into_iter().map(show).collect())
    }

    pub(super) fn text(&self, control: Control) -> Result<&str, Absence> {
        let shown = self.0.get(&control).ok_or(Absence::Missing)?;
        shown.as_deref().map_err(Clone::clone)
    }

    pub(super) fn number(&self, control: Control) -> Result<i64, Absence> {
        let text = self.text(control)?;
        text.parse().map_err(|_| unreadable(text))
    }

    /// Whether a control shows this. Numbers are compared as numbers, and a cap that is none with
    /// any other that is none.
    pub(super) fn shows(&self, control: Control, wanted: &str) -> bool {
        let Ok(shown) = self.text(control) else { return false };
        match (shown.parse::<i64>(), wanted.parse::<i64>()) {
            (Ok(shown), Ok(wanted)) if control == Control::MemoryCap => {
                shown == wanted || (is_no_cap(shown) && is_no_cap(wanted))
            }
            (Ok(shown), Ok(wanted)) => shown == wanted,
            _ => shown == wanted,
        }
    }

    /// Those that show something.
    pub(super) fn texts(&self) -> Texts {
        let shown = self.0.iter();
        shown.filter_map(|(control, text)| Some((*control, text.clone().ok()?))).collect()
    }

    /// The numbers of the clusters that are among these.
    pub(super) fn policies(&self) -> impl Iterator<Item = u32> {
        self.0.keys().filter_map(|control| match control {
            Control::CpuMax(policy) => Some(*policy),
            _ => None,
        })
    }
}

/// A cap of the memory's clock that is none.
pub(super) fn is_no_cap(hertz: i64) -> bool {
    hertz <= 0 || hertz == i64::from(i32::MAX)
}
