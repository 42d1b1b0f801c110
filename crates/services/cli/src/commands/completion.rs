//! `argocd completion`: scripts that make a shell complete commands and flags.

use std::fmt::Write;

use crate::command::{Command, Running};
use crate::commands::ROOT;
use crate::failure::{Failure, Outcome};
use crate::parse;
use crate::session::Session;

pub(crate) static COMMAND: Command = Command {
    details: "\nExamples:\n  source <(argocd completion bash)\n  argocd completion zsh > ~/.zsh/completions/_argocd",
    run: Some(start),
    ..Command::new(
        "completion",
        "SHELL",
        "Output shell completion code for the specified shell (bash, zsh or fish)",
    )
};

fn start<'s>(session: &'s mut Session<'_>) -> Running<'s> {
    Box::pin(async move { run(session) })
}

fn run(session: &mut Session<'_>) -> Outcome {
    let shell = session.only_argument()?;
    let words = words();
    let script = match shell.as_str() {
        "bash" => bash(&words),
        "zsh" => format!("#compdef argocd\nautoload -U +X bashcompinit && bashcompinit\n{}", bash(&words)),
        "fish" => fish(&words),
        _ => {
            session.line(&format!("Unsupported shell {shell:?}"));
            return Err(Failure::Exit(1));
        }
    };
    session.print(&script);
    Ok(())
}

/// Each command line with the words that may follow it.
fn words() -> Vec<(String, Vec<String>)> {
    let mut found = Vec::new();
    collect(&mut vec![&ROOT], &mut found);
    found
}

fn collect(path: &mut Vec<&'static Command>, found: &mut Vec<(String, Vec<String>)>) {
    let command = *path.last().expect("the path holds the root");
    let line = path.iter().skip(1).map(|command| command.name).collect::<Vec<_>>().join(" ");
    let mut next: Vec<_> = command.commands.iter().map(|child| child.name.to_owned()).collect();
    next.extend(parse::flags(path).iter().map(|flag| format!("--{}", flag.name)));
    next.sort_unstable();
    found.push((line, next));
    for child in command.commands {
        path.push(child);
        collect(path, found);
        path.pop();
    }
}

fn bash(words: &[(String, Vec<String>)]) -> String {
    let mut script = String::from(
        "_argocd() {\n  local line=\"\" word\n  for word in \"${COMP_WORDS[@]:1:COMP_CWORD-1}\"; do\n    \
         [[ $word == -* ]] || line=\"${line:+$line }$word\"\n  done\n  local words=\"\"\n  \
         while :; do\n    case \"$line\" in\n",
    );
    for (line, next) in words {
        let _ = writeln!(script, "      \"{line}\") words=\"{}\" ;;", next.join(" "));
    }
    script.push_str(
        "    esac\n    [[ -n $words || -z $line ]] && break\n    \
         [[ $line == *\" \"* ]] && line=\"${line% *}\" || line=\"\"\n  done\n  \
         COMPREPLY=($(compgen -W \"$words\" -- \"${COMP_WORDS[COMP_CWORD]}\"))\n}\ncomplete -o default -F _argocd argocd\n",
    );
    script
}

fn fish(words: &[(String, Vec<String>)]) -> String {
    let mut script = String::from("complete -c argocd -f\n");
    for (line, next) in words {
        let condition: Vec<_> = line
            .split(' ')
            .filter(|word| !word.is_empty())
            .map(|word| format!("__fish_seen_subcommand_from {word}"))
            .collect();
        let condition = if condition.is_empty() { "true".to_owned() } else { condition.join("; and ") };
        let (flags, commands): (Vec<_>, Vec<_>) = next.iter().partition(|word| word.starts_with("--"));
        if !commands.is_empty() {
            let commands = commands.iter().map(|word| word.as_str()).collect::<Vec<_>>().join(" ");
            let _ = writeln!(script, "complete -c argocd -n '{condition}' -a '{commands}'");
        }
        for flag in flags {
            let _ = writeln!(script, "complete -c argocd -n '{condition}' -l {}", &flag[2..]);
        }
    }
    script
}
