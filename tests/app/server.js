// What a developer changes of dataprocessingservice, run by node on a laptop in the cluster's place: another color, and the
// products as the cluster's own data store has them.
const http = require("node:http");

const store = process.env.DATASTORE_URL ?? "http://verylargedatastore:8080";

http.createServer(async (request, response) => {
  const answer = (value) => response.end(JSON.stringify(value) + "\n");
  if (request.url === "/color") return answer("violet");
  const products = await (await fetch(`${store}/products`)).json();
  const total = products.reduce((sum, { price }) => sum + price, 0);
  answer({ color: "violet", products, total });
}).listen(3000, "127.0.0.1");
