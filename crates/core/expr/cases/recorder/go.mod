module recorder

go 1.26

require (
	github.com/chainguard-dev/git-urls v1.0.2
	github.com/expr-lang/expr v1.17.8
)
