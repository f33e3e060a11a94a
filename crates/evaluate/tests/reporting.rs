//! The report, and the table without its implausible rows.

#[allow(dead_code)]
mod toy;

use std::sync::Arc;

use fulcrum_board::ProfileTable;
use fulcrum_domain::{Alternate, Watts, Workload};
use fulcrum_evaluate::{Settings, evaluate, protocol, sample, without_implausible_rows};

/// The toy table with the power at one mode of the training misread.
fn misread(name: &str) -> Arc<ProfileTable> {
    let table = toy::table(5);
    let rows = table.offers().iter().flat_map(|offer| {
        table.rows(&offer.workload).iter().map(|((mode, batch), profile)| {
            let mut profile = *profile;
            if offer.workload.name.as_ref() == "net" && *mode == table.space().highest() {
                profile.power = Watts::new(6.0);
            }
            let workload = match offer.workload.name.as_ref() {
                "net" => Workload::train(name),
                _ => offer.workload.clone(),
            };
            (workload, *mode, *batch, profile)
        })
    });
    Arc::new(ProfileTable::new("toy", table.space().clone(), rows))
}

#[test]
fn the_row_that_contradicts_its_neighbours_goes_and_no_other() {
    let (clean, removed) = without_implausible_rows(&toy::table(5));
    assert_eq!((clean, removed), ((*toy::table(5)).clone(), Vec::new()));
    let table = misread("net");
    let (clean, removed) = without_implausible_rows(&table);
    assert_eq!(clean.len() + 1, table.len());
    assert_eq!(removed.len(), 1);
    assert_eq!(removed[0].mode, table.space().highest());
    assert!(removed[0].power_factor < 0.5 && removed[0].time_factor == 1.0);
}

#[test]
fn the_report_is_one_page_that_needs_nothing_else() {
    let table = misread("<net> & co");
    let problems = sample(&protocol(&table), 40, 1);
    for alternate in [Alternate::Strict, Alternate::SlackAware] {
        let settings = Settings {
            strategies: vec![toy::everything(), toy::highest(), toy::every_third()],
            seed: 1,
            modes: Some(5),
            noise: 0.0,
            alternate,
            known: 0,
            random_seeds: 2,
        };
        let evaluation =
            evaluate(&table, &problems, &settings, &|_, _| {}).expect("known workloads");
        assert_eq!(evaluation.removed().len(), 1);
        assert!(evaluation.summaries().iter().all(|summary| summary.clean.is_some()));
        let page = evaluation.report_html().expect("pictures");
        assert_eq!(page.matches("<svg ").count(), 5);
        assert!(page.contains("&lt;net&gt; &amp; co") && !page.contains("<net>"));
        assert!(!page.contains("src=") && !page.contains("<script") && !page.contains("@import"));
        assert!(!page.contains("NaN"));
    }
}
