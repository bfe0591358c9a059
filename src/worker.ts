import { createApp } from './app.ts'

function startTimer(ms: number, callback: () => void): () => void {
  const timer = setTimeout(callback, ms)
  return () => clearTimeout(timer)
}

export default createApp({
  clock: { now: Date.now, startTimer },
  fetch: (url, init) => fetch(url, init),
  log: (line) => console.log(line),
})
