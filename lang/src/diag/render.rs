//! The one place that draws findings for people.
