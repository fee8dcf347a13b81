package main

import (
	"encoding/json"
	"fmt"
	"html/template"
	"io"
	"log"
	"net/http"
	"time"
)

// The three services of the sample application ask each other by service name:
// verylargejavaservice (the page) -> dataprocessingservice -> verylargedatastore.

// product is a record of the data store.
type product struct {
	Name  string `json:"name"`
	Price int    `json:"price"`
}

var products = []product{{"Edgy Scarf", 25}, {"Edgy Socks", 9}, {"Edgy Umbrella", 31}}

// processed is what the data processing service makes of the records.
type processed struct {
	Color    string    `json:"color"`
	Products []product `json:"products"`
	Total    int       `json:"total"`
}

func serveDatastore() error {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /products", func(w http.ResponseWriter, _ *http.Request) {
		writeJSON(w, products)
	})
	return serve("verylargedatastore", ":"+setting("PORT", "8080"), mux)
}

func serveProcessing() error {
	store := setting("DATASTORE_URL", "http://verylargedatastore:8080")
	color := setting("COLOR", "green")
	mux := http.NewServeMux()
	mux.HandleFunc("GET /color", func(w http.ResponseWriter, _ *http.Request) {
		writeJSON(w, color)
	})
	mux.HandleFunc("GET /report", func(w http.ResponseWriter, r *http.Request) {
		report := processed{Color: color}
		if err := fetchJSON(r, store+"/products", &report.Products); err != nil {
			fail(w, err)
			return
		}
		for _, product := range report.Products {
			report.Total += product.Price
		}
		writeJSON(w, report)
	})
	return serve("dataprocessingservice", ":"+setting("PORT", "3000"), mux)
}

var page = template.Must(template.New("page").Parse(`<!DOCTYPE HTML>
<html>
<head>
    <title>Welcome to the EdgyCorp WebApp</title>
</head>
<body style="border-top: 1em solid {{.Color}}">
    <h1>Welcome to the EdgyCorp WebApp</h1>
    <p>The data processing service says: {{.Color}}</p>
    <ul>{{range .Products}}
        <li>{{.Name}}: {{.Price}}</li>{{end}}
    </ul>
    <p>All together: {{.Total}}</p>
</body>
</html>
`))

func servePage() error {
	processing := setting("DATAPROCESSING_URL", "http://dataprocessingservice:3000")
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, r *http.Request) {
		var report processed
		if err := fetchJSON(r, processing+"/report", &report); err != nil {
			fail(w, err)
			return
		}
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		if err := page.Execute(w, report); err != nil {
			log.Print(err)
		}
	})
	return serve("verylargejavaservice", ":"+setting("PORT", "8080"), mux)
}

// serve adds the readiness check to a service and says each request in its log.
func serve(name, address string, mux *http.ServeMux) error {
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintln(w, "ok")
	})
	logged := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/healthz" {
			log.Printf("%s: %s %s from %s", name, r.Method, r.URL, r.RemoteAddr)
		}
		mux.ServeHTTP(w, r)
	})
	log.Printf("%s listens at %s", name, address)
	return http.ListenAndServe(address, logged)
}

var client = http.Client{Timeout: 10 * time.Second}

func fetchJSON(r *http.Request, url string, into any) error {
	request, err := http.NewRequestWithContext(r.Context(), http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	response, err := client.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		body, _ := io.ReadAll(io.LimitReader(response.Body, 1024))
		return fmt.Errorf("%s: %s: %s", url, response.Status, body)
	}
	return json.NewDecoder(response.Body).Decode(into)
}

func writeJSON(w http.ResponseWriter, value any) {
	w.Header().Set("Content-Type", "application/json")
	if err := json.NewEncoder(w).Encode(value); err != nil {
		log.Print(err)
	}
}

func fail(w http.ResponseWriter, err error) {
	log.Print(err)
	http.Error(w, err.Error(), http.StatusBadGateway)
}
