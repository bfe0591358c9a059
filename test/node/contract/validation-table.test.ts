import { expect, test } from 'vitest'
import { describeKeystone } from './contract-keystone.ts'
import { DELEGATED_ROWS } from './delegated-rows.ts'
import { errorOf, type Question, validate } from './validation.ts'
import { ROWS } from './validation-rows.ts'

describeKeystone('a token that is validated', (keystone) => {
  test.each([...ROWS, ...DELEGATED_ROWS])(
    'gets $self from itself and $service from a service when $when',
    async (row) => {
      const token = await row.token(keystone())
      const question: Question = row.headers === undefined ? {} : { headers: row.headers }
      const self = await validate(keystone(), token, question)
      const service = await validate(keystone(), token, { ...question, asker: keystone().adminToken })
      expect({ self: self.status, service: service.status }).toEqual({ self: row.self, service: row.service })
      for (const reply of [self, service]) {
        // A definite no is told from a wrong address by this: Keystone's own JSON, with the status in it.
        if (reply.status !== 200) expect(errorOf(reply).code).toBe(reply.status)
        else expect(reply.headers.get('X-Subject-Token')).toBe(token)
      }
    },
  )
})
