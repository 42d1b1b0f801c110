//! The words a status is told in. Fields of messages stay text, as on the wire; these are what code decides
//! with. A word nobody knows does not parse: the caller says what that means.

use std::fmt;
use std::str::FromStr;

/// Text that is none of an enum's words.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is not a {what}")]
pub struct UnknownCode {
    /// The enum that was asked for.
    pub what: &'static str,
    /// The text.
    pub text: String,
}

/// Enums of which each value is one word. A macro, because the three traits below cannot be written once
/// for all of them otherwise.
macro_rules! codes {
    ($($(#[$meta:meta])* $name:ident { $($(#[$variant_meta:meta])* $variant:ident = $text:literal),* $(,)? })*) => {$(
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name {
            $($(#[$variant_meta])* $variant),*
        }

        impl $name {
            /// Every value, in order.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// The word on the wire.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $text),*
                }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.pad(self.as_str())
            }
        }

        impl FromStr for $name {
            type Err = UnknownCode;

            fn from_str(text: &str) -> Result<Self, UnknownCode> {
                match text {
                    $($text => Ok(Self::$variant),)*
                    _ => Err(UnknownCode { what: stringify!($name), text: text.to_owned() }),
                }
            }
        }
    )*};
}

codes! {
    /// Whether live objects are as the source says.
    SyncStatusCode {
        /// They are.
        Synced = "Synced",
        /// They are not.
        OutOfSync = "OutOfSync",
        /// It could not be found out.
        Unknown = "Unknown",
    }

    /// Health of an object or an application, best first.
    HealthStatusCode {
        /// All is well.
        Healthy = "Healthy",
        /// Paused on purpose, or waiting for an outside event.
        Suspended = "Suspended",
        /// Not there yet, may still become healthy.
        Progressing = "Progressing",
        /// Not in the cluster.
        Missing = "Missing",
        /// Failed, or did not become healthy in time.
        Degraded = "Degraded",
        /// Could not be found out.
        Unknown = "Unknown",
    }

    /// How far an operation, or a hook, is.
    OperationPhase {
        /// Under way.
        Running = "Running",
        /// Being stopped.
        Terminating = "Terminating",
        /// Ended: a resource or a hook failed.
        Failed = "Failed",
        /// Ended: the operation itself could not be done.
        Error = "Error",
        /// Ended well.
        Succeeded = "Succeeded",
    }

    /// What a sync did to one resource.
    ResultCode {
        /// Applied.
        Synced = "Synced",
        /// Could not be applied.
        SyncFailed = "SyncFailed",
        /// Deleted.
        Pruned = "Pruned",
        /// Would have been deleted, but pruning was not asked for.
        PruneSkipped = "PruneSkipped",
    }

    /// When a hook runs.
    HookType {
        /// Before the resources.
        PreSync = "PreSync",
        /// Along with the resources.
        Sync = "Sync",
        /// After the resources are healthy.
        PostSync = "PostSync",
        /// Never: the object is left out of the sync.
        Skip = "Skip",
        /// When the sync failed.
        SyncFail = "SyncFail",
        /// Before the application's resources are deleted.
        PreDelete = "PreDelete",
        /// After the application's resources were deleted.
        PostDelete = "PostDelete",
    }

    /// Phases of a sync, in the order they run.
    SyncPhase {
        /// Before the resources.
        PreSync = "PreSync",
        /// The resources.
        Sync = "Sync",
        /// After the resources are healthy.
        PostSync = "PostSync",
        /// When the sync failed.
        SyncFail = "SyncFail",
    }

    /// When a hook's object is deleted.
    HookDeletePolicy {
        /// Once it succeeded.
        HookSucceeded = "HookSucceeded",
        /// Once it failed.
        HookFailed = "HookFailed",
        /// Before it is made anew.
        BeforeHookCreation = "BeforeHookCreation",
    }

    /// Types of an application's conditions.
    ConditionType {
        /// Deleting the application failed.
        DeletionError = "DeletionError",
        /// The application's spec is not valid or not permitted.
        InvalidSpecError = "InvalidSpecError",
        /// Target and live state could not be compared.
        ComparisonError = "ComparisonError",
        /// Automated sync failed.
        SyncError = "SyncError",
        /// Anything else failed.
        UnknownError = "UnknownError",
        /// Another application manages the same object.
        SharedResourceWarning = "SharedResourceWarning",
        /// The source holds an object more than once.
        RepeatedResourceWarning = "RepeatedResourceWarning",
        /// The source holds an object that settings exclude.
        ExcludedResourceWarning = "ExcludedResourceWarning",
        /// An annotation of an object has a value that means nothing.
        InvalidAnnotationWarning = "InvalidAnnotationWarning",
        /// The namespace holds objects no application manages.
        OrphanedResourceWarning = "OrphanedResourceWarning",
    }

    /// How thorough a refresh is.
    RefreshType {
        /// Compares anew.
        Normal = "normal",
        /// Renders anew, too.
        Hard = "hard",
    }

    /// How manifests are made.
    SourceType {
        /// A chart.
        Helm = "Helm",
        /// A kustomization.
        Kustomize = "Kustomize",
        /// Plain files and Jsonnet.
        Directory = "Directory",
        /// A config management plugin.
        Plugin = "Plugin",
    }

    /// Whether a repository or a cluster can be reached.
    ConnectionStatus {
        /// It can.
        Successful = "Successful",
        /// It cannot.
        Failed = "Failed",
        /// Not tried yet.
        Unknown = "Unknown",
    }
}

impl HealthStatusCode {
    /// Whether `other` is worse than this one.
    pub fn is_worse(self, other: Self) -> bool {
        other > self
    }
}

impl OperationPhase {
    /// Whether the operation has ended.
    pub const fn is_completed(self) -> bool {
        matches!(self, Self::Failed | Self::Error | Self::Succeeded)
    }

    /// Whether it ended well.
    pub const fn is_successful(self) -> bool {
        matches!(self, Self::Succeeded)
    }
}

impl ConditionType {
    /// Whether it says that something failed; the others warn.
    pub fn is_error(self) -> bool {
        self.as_str().ends_with("Error")
    }
}

impl HookType {
    /// The phase a hook of this type runs in; none for hooks a sync does not run.
    pub const fn phase(self) -> Option<SyncPhase> {
        match self {
            Self::PreSync => Some(SyncPhase::PreSync),
            Self::Sync => Some(SyncPhase::Sync),
            Self::PostSync => Some(SyncPhase::PostSync),
            Self::SyncFail => Some(SyncPhase::SyncFail),
            Self::Skip | Self::PreDelete | Self::PostDelete => None,
        }
    }
}
