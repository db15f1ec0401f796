// A peer: what a chat room commonly is in Node. Every message goes to everybody (Debian's node-ws).
import http from "node:http";
import { createRequire } from "node:module";

const { WebSocketServer } = createRequire(import.meta.url)("/usr/share/nodejs/ws");
const server = http.createServer((_, answer) => answer.end('{"status":"ok"}'));
const room = new WebSocketServer({ server });
room.on("connection", (one) => one.on("message", (text) => room.clients.forEach((other) => other.send(text.toString()))));
server.listen(Number(process.env.PORT), "127.0.0.1");
