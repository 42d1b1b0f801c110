//! What an application's pull requests are answered with, as its users or its project's ask for it.

/// The annotation, of an application or of its project.
pub const ANNOTATION: &str = "argocd.argoproj.io/pull-request-feedback";

/// What is asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Asked {
    /// A commit status.
    pub status: bool,
    /// A part of the request's comment.
    pub comment: bool,
}

impl Asked {
    /// Reads the annotations: an application's own counts, its project's where it has none. Words that mean nothing come
    /// back.
    pub fn read<'a>(application: Option<&'a str>, project: Option<&'a str>) -> (Self, Vec<&'a str>) {
        let mut asked = Self::default();
        let mut unknown = Vec::new();
        let text = application.or(project).unwrap_or_default();
        for word in text.split(',').map(str::trim).filter(|word| !word.is_empty()) {
            match word {
                "status" => asked.status = true,
                "comment" => asked.comment = true,
                // For an application that wants less than its project.
                "none" => {}
                other => unknown.push(other),
            }
        }
        (asked, unknown)
    }

    /// Whether anything is.
    pub fn any(self) -> bool {
        self.status || self.comment
    }
}

#[cfg(test)]
mod tests {
    use super::Asked;

    #[test]
    fn an_application_overrules_its_project() {
        let both = Asked { status: true, comment: true };
        assert_eq!(Asked::read(None, None), (Asked::default(), Vec::new()));
        assert_eq!(Asked::read(None, Some("status, comment")), (both, Vec::new()));
        assert_eq!(Asked::read(Some("none"), Some("status")), (Asked::default(), Vec::new()));
        assert_eq!(Asked::read(Some(""), Some("status")).0, Asked::default());
        assert_eq!(Asked::read(Some("Status"), None), (Asked::default(), vec!["Status"]));
    }
}
