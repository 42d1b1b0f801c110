// Records what Masterminds/semver v3.4.0 (the library of Helm and Argo CD) answers.
// Run: go run . < ../asked.txt > ../answers.tsv
package main

import (
	"bufio"
	"fmt"
	"os"
	"sort"
	"strings"

	"github.com/Masterminds/semver/v3"
)

func main() {
	var versions, ranges []string
	target := &versions
	scanner := bufio.NewScanner(os.Stdin)
	for scanner.Scan() {
		line := scanner.Text()
		switch {
		case line == "# versions":
			target = &versions
		case line == "# ranges":
			target = &ranges
		case strings.HasPrefix(line, "#"):
		default:
			*target = append(*target, strings.Trim(line, "|"))
		}
	}
	var parsed []*semver.Version
	for _, text := range versions {
		version, err := semver.NewVersion(text)
		if err != nil {
			fmt.Printf("version\t%q\tinvalid\n", text)
			continue
		}
		fmt.Printf("version\t%q\t%s\n", text, version.String())
		parsed = append(parsed, version)
	}
	sort.SliceStable(parsed, func(i, j int) bool { return parsed[i].LessThan(parsed[j]) })
	for i := 1; i < len(parsed); i++ {
		sign := map[int]string{-1: "<", 0: "="}[parsed[i-1].Compare(parsed[i])]
		fmt.Printf("order\t%s\t%s\t%s\n", parsed[i-1].Original(), sign, parsed[i].Original())
	}
	for _, text := range ranges {
		constraint, err := semver.NewConstraint(text)
		if err != nil {
			fmt.Printf("range\t%q\tinvalid\n", text)
			continue
		}
		var matching []string
		for _, version := range parsed {
			if constraint.Check(version) {
				matching = append(matching, version.Original())
			}
		}
		fmt.Printf("range\t%q\t%s\n", text, strings.Join(matching, " "))
	}
}
