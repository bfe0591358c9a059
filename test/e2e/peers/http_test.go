package peers

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
)

type answer struct {
	status     int
	retryAfter string
	body       []byte
}

// post sends a review. A cut connection is io.EOF: POST is never sent again by the transport.
func post(client *http.Client, url, token string, body []byte) (answer, error) {
	request, err := http.NewRequest(http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		return answer{}, err
	}
	request.Header.Set("Content-Type", "application/json")
	if token != "" {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	response, err := client.Do(request)
	if err != nil {
		return answer{}, err
	}
	defer response.Body.Close()
	content, err := io.ReadAll(response.Body)
	return answer{response.StatusCode, response.Header.Get("Retry-After"), content}, err
}

// marshal is for values that always have a JSON form.
func marshal(value any) []byte {
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil {
		panic(err)
	}
	return bytes.TrimSpace(text.Bytes())
}
