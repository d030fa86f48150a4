package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"text/tabwriter"

	authenticationv1 "k8s.io/api/authentication/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
)

// kubectl is the real one or, where there is none, this program in its role.
type kubectl struct {
	program
	isStandIn bool
}

func (s *stage) findKubectl() (kubectl, error) {
	if path, err := exec.LookPath("kubectl"); err == nil {
		return kubectl{program: program{path, s.environment()}}, nil
	}
	self, err := os.Executable()
	if err != nil {
		return kubectl{}, err
	}
	return kubectl{program{self, s.environment(roleVariable + "=" + roleKubectl)}, true}, nil
}

// playKubectl does what two of kubectl's commands do, with kubectl's own library: it is client-go that reads the
// kubeconfig, runs the plugin and sends the token.
func playKubectl(ctx context.Context, w io.Writer, arguments []string) error {
	config, err := clientcmd.BuildConfigFromFlags("", os.Getenv("KUBECONFIG"))
	if err != nil {
		return err
	}
	client, err := newClient(config)
	if err != nil {
		return err
	}
	switch command := strings.Join(arguments, " "); command {
	case "auth whoami":
		return whoAmI(ctx, w, client)
	case "get pods":
		return getPods(ctx, w, client)
	default:
		return fmt.Errorf("kubectl's stand-in cannot do %q", command)
	}
}

func newClient(config *rest.Config) (*rest.RESTClient, error) {
	scheme := runtime.NewScheme()
	if err := authenticationv1.AddToScheme(scheme); err != nil {
		return nil, err
	}
	config.APIPath, config.GroupVersion = "/apis", &authenticationv1.SchemeGroupVersion
	config.NegotiatedSerializer = serializer.NewCodecFactory(scheme).WithoutConversion()
	return rest.RESTClientFor(config)
}

func whoAmI(ctx context.Context, w io.Writer, client *rest.RESTClient) error {
	var review authenticationv1.SelfSubjectReview
	err := client.Post().Resource("selfsubjectreviews").Body(&review).Do(ctx).Into(&review)
	if err != nil {
		return err
	}
	user := review.Status.UserInfo
	return writeTable(w, [][]any{
		{"ATTRIBUTE", "VALUE"},
		{"Username", user.Username},
		{"Groups", user.Groups},
	})
}

func getPods(ctx context.Context, w io.Writer, client *rest.RESTClient) error {
	text, err := client.Get().AbsPath("/api/v1/namespaces/default/pods").
		SetHeader("Accept", "application/json;as=Table;v=v1;g=meta.k8s.io").Do(ctx).Raw()
	if err != nil {
		return err
	}
	var pods metav1.Table
	if err := json.Unmarshal(text, &pods); err != nil {
		return fmt.Errorf("pods: %w", err)
	}
	rows := [][]any{nil}
	for _, column := range pods.ColumnDefinitions {
		rows[0] = append(rows[0], strings.ToUpper(column.Name))
	}
	for _, row := range pods.Rows {
		rows = append(rows, row.Cells)
	}
	return writeTable(w, rows)
}

// writeTable aligns columns as kubectl does.
func writeTable(w io.Writer, rows [][]any) error {
	table := tabwriter.NewWriter(w, 0, 0, 3, ' ', 0)
	for _, row := range rows {
		cells := make([]string, len(row))
		for i, cell := range row {
			cells[i] = fmt.Sprint(cell)
		}
		if _, err := fmt.Fprintln(table, strings.Join(cells, "\t")); err != nil {
			return err
		}
	}
	return table.Flush()
}
