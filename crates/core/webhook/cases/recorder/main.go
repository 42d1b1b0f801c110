// Records what Go's net/url, regexp and path/filepath say: `go run . addresses < ../addresses.txt > ../addresses.tsv`,
// `go run . paths < ../paths.txt > ../paths.tsv`. The expression and the order of questions are those of Argo CD 3.6.
package main

import (
	"bufio"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"strings"
)

const user = `[\w\.][\w\.-]{0,30}[\w\.\$-]?`

func address(fields []string) string {
	web, err := url.Parse(fields[0])
	if err != nil {
		return "invalid"
	}
	path := strings.TrimPrefix(web.EscapedPath(), "/")
	expression := regexp.MustCompile(fmt.Sprintf(`(?i)^((https?|ssh)://)?(%s@)?((alt)?ssh\.)?%s(:\d+)?[:/]%s(\.git)?$`,
		user, regexp.QuoteMeta(web.Hostname()), regexp.QuoteMeta(path)))
	return strconv.FormatBool(expression.MatchString(fields[1]))
}

func rooted(path string) string {
	if filepath.IsAbs(path) {
		return path
	}
	return "/" + path
}

func concerns(annotation, source, file string) bool {
	any := false
	for _, item := range strings.Split(annotation, ";") {
		item = strings.TrimSpace(item)
		if item == "" {
			continue
		}
		any = true
		if filepath.IsAbs(item) {
			item = item[1:]
		} else {
			item = filepath.Clean(filepath.Join(source, item))
		}
		item, file := rooted(item), rooted(file)
		if item == file {
			return true
		}
		root, folder := filepath.Clean(item), filepath.Dir(file)
		if root == "/" || folder == root || strings.HasPrefix(folder+"/", root+"/") {
			return true
		}
		if matched, err := filepath.Match(item, file); err == nil && matched {
			return true
		}
	}
	return !any
}

func paths(fields []string) string {
	return strconv.FormatBool(concerns(fields[0], fields[1], fields[2]))
}

func main() {
	answer := map[string]func([]string) string{"addresses": address, "paths": paths}[os.Args[1]]
	fmt.Println("#", runtime.Version())
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		if line := lines.Text(); line != "" {
			fmt.Println(line + "\t" + answer(strings.Split(line, "\t")))
		}
	}
}
