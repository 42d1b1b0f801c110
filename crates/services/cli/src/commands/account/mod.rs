//! `argocd account`: local accounts, their passwords and tokens.

mod bcrypt;
mod can_i;
mod delete_token;
mod generate_token;
mod get;
mod get_user_info;
mod list;
mod session_token;
mod update_password;

use serde::Serialize;

use crate::command::Command;
use crate::options::KUBERNETES;

pub(crate) static COMMAND: Command = Command {
    inherited: &[KUBERNETES],
    commands: &[
        &bcrypt::COMMAND,
        &can_i::COMMAND,
        &delete_token::COMMAND,
        &generate_token::COMMAND,
        &get::COMMAND,
        &get_user_info::COMMAND,
        &list::COMMAND,
        &session_token::COMMAND,
        &update_password::COMMAND,
    ],
    ..Command::new("account", "", "Manage account settings")
};

/// An account as JSON shows it.
#[derive(Serialize)]
struct Account<'a> {
    #[serde(skip_serializing_if = "str::is_empty")]
    name: &'a str,
    #[serde(skip_serializing_if = "is_false")]
    enabled: bool,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    capabilities: &'a [String],
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tokens: Vec<Token<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Token<'a> {
    #[serde(skip_serializing_if = "str::is_empty")]
    id: &'a str,
    #[serde(skip_serializing_if = "is_zero")]
    issued_at: i64,
    #[serde(skip_serializing_if = "is_zero")]
    expires_at: i64,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_false(value: &bool) -> bool {
    !value
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_zero(value: &i64) -> bool {
    *value == 0
}

impl<'a> From<&'a wire::account::Account> for Account<'a> {
    fn from(account: &'a wire::account::Account) -> Self {
        let token = |token: &'a wire::account::Token| Token {
            id: &token.id,
            issued_at: token.issued_at,
            expires_at: token.expires_at,
        };
        Self {
            name: &account.name,
            enabled: account.enabled,
            capabilities: &account.capabilities,
            tokens: account.tokens.iter().map(token).collect(),
        }
    }
}
