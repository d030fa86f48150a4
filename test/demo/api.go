package main

import (
	"context"
	"encoding/json"
	"net/http"

	authenticationv1 "k8s.io/api/authentication/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/version"
	"k8s.io/apiserver/pkg/authentication/user"
)

// newAPI has what "kubectl auth whoami" and "kubectl get pods" ask for. Its pods are invented.
func newAPI() http.Handler {
	mux := http.NewServeMux()
	for path, object := range documents() {
		mux.HandleFunc("GET "+path, func(w http.ResponseWriter, _ *http.Request) { answer(w, http.StatusOK, object) })
	}
	mux.HandleFunc("POST /apis/"+authenticationv1.SchemeGroupVersion.String()+"/selfsubjectreviews", reviewSelf)
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		answerError(w, apierrors.NewGenericServerResponse(http.StatusNotFound, r.Method, schema.GroupResource{}, "", "", 0,
			true))
	})
	return mux
}

// documents are what can be read, by path: what there is (kubectl asks for that first), and the pods.
func documents() map[string]any {
	reviews := metav1.GroupVersionForDiscovery{
		GroupVersion: authenticationv1.SchemeGroupVersion.String(),
		Version:      authenticationv1.SchemeGroupVersion.Version,
	}
	return map[string]any{
		"/version": version.Info{Major: "1", Minor: "37", GitVersion: "v1.37.2"},
		"/api":     metav1.APIVersions{TypeMeta: kind("APIVersions"), Versions: []string{"v1"}},
		"/apis": metav1.APIGroupList{TypeMeta: kind("APIGroupList"), Groups: []metav1.APIGroup{{
			Name:             authenticationv1.GroupName,
			Versions:         []metav1.GroupVersionForDiscovery{reviews},
			PreferredVersion: reviews,
		}}},
		"/apis/" + reviews.GroupVersion: metav1.APIResourceList{
			TypeMeta:     kind("APIResourceList"),
			GroupVersion: reviews.GroupVersion,
			APIResources: []metav1.APIResource{{
				Name:         "selfsubjectreviews",
				SingularName: "selfsubjectreview",
				Kind:         "SelfSubjectReview",
				Verbs:        metav1.Verbs{"create"},
			}},
		},
		"/api/v1": metav1.APIResourceList{
			TypeMeta:     kind("APIResourceList"),
			GroupVersion: "v1",
			APIResources: []metav1.APIResource{{
				Name:         "pods",
				SingularName: "pod",
				ShortNames:   []string{"po"},
				Kind:         "Pod",
				Namespaced:   true,
				Verbs:        metav1.Verbs{"list"},
			}},
		},
		"/api/v1/namespaces/{namespace}/pods": podTable(),
	}
}

func kind(name string) metav1.TypeMeta { return metav1.TypeMeta{Kind: name, APIVersion: "v1"} }

// podTable is what kubectl prefers to a list of pods: it prints the cells as they are.
func podTable() metav1.Table {
	table := metav1.Table{TypeMeta: metav1.TypeMeta{Kind: "Table", APIVersion: "meta.k8s.io/v1"}}
	for _, name := range []string{"Name", "Ready", "Status", "Restarts", "Age"} {
		table.ColumnDefinitions = append(table.ColumnDefinitions, metav1.TableColumnDefinition{Name: name, Type: "string"})
	}
	for _, cells := range [][]any{
		{"shop-0", "1/1", "Running", "0", "3d"},
	} {
		pod := &metav1.PartialObjectMetadata{
			TypeMeta:   metav1.TypeMeta{Kind: "PartialObjectMetadata", APIVersion: "meta.k8s.io/v1"},
			ObjectMeta: metav1.ObjectMeta{Name: cells[0].(string), Namespace: metav1.NamespaceDefault},
		}
		table.Rows = append(table.Rows, metav1.TableRow{Cells: cells, Object: runtime.RawExtension{Object: pod}})
	}
	return table
}

// reviewSelf tells whoever asks who they are. What is posted says nothing, and may be in any format.
func reviewSelf(w http.ResponseWriter, r *http.Request) {
	asking := userOf(r.Context())
	answer(w, http.StatusCreated, authenticationv1.SelfSubjectReview{
		TypeMeta: metav1.TypeMeta{Kind: "SelfSubjectReview", APIVersion: authenticationv1.SchemeGroupVersion.String()},
		Status: authenticationv1.SelfSubjectReviewStatus{UserInfo: authenticationv1.UserInfo{
			Username: asking.GetName(),
			UID:      asking.GetUID(),
			Groups:   asking.GetGroups(),
		}},
	})
}

type userKey struct{}

func withUser(ctx context.Context, asking user.Info) context.Context {
	return context.WithValue(ctx, userKey{}, asking)
}

func userOf(ctx context.Context) user.Info { return ctx.Value(userKey{}).(user.Info) }

func answerError(w http.ResponseWriter, err *apierrors.StatusError) {
	status := err.Status()
	status.TypeMeta = kind("Status")
	answer(w, int(status.Code), status)
}

func answer(w http.ResponseWriter, status int, object any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(object) // a client that is gone needs no answer
}
