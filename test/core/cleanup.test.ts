import { describe, expect, it } from 'vitest'
import { CleanupStack } from '../../core/index.ts'

describe('CleanupStack', () => {
  it('undoes one step after the other, the last first', async () => {
    const order: string[] = []
    const stack = new CleanupStack()
    stack.defer(() => order.push('first'))
    stack.defer(async () => {
      await Promise.resolve()
      order.push('second')
    })
    stack.defer(() => order.push('third'))
    await stack[Symbol.asyncDispose]()
    expect(order).toEqual(['third', 'second', 'first'])
  })

  it('does every step when some fail, and then reports all failures', async () => {
    let done = false
    const stack = new CleanupStack()
    stack.defer(() => (done = true))
    stack.defer(() => {
      throw new Error('b')
    })
    stack.defer(() => Promise.reject(new Error('a')))
    await expect(stack[Symbol.asyncDispose]()).rejects.toMatchObject({ errors: [{ message: 'a' }, { message: 'b' }] })
    expect(done).toBe(true)
  })

  it('does every step once, also when it is emptied twice', async () => {
    let count = 0
    const stack = new CleanupStack()
    stack.defer(() => count++)
    await stack[Symbol.asyncDispose]()
    await stack[Symbol.asyncDispose]()
    expect(count).toBe(1)
  })

  it('leaves nothing to do once its steps were moved on', async () => {
    let count = 0
    const stack = new CleanupStack()
    stack.defer(() => count++)
    const owner = stack.move()
    await stack[Symbol.asyncDispose]()
    expect(count).toBe(0)
    await owner[Symbol.asyncDispose]()
    expect(count).toBe(1)
  })

  it('does a step that is added while it is being emptied', async () => {
    const order: string[] = []
    const stack = new CleanupStack()
    stack.defer(() => order.push('first'))
    stack.defer(() => stack.defer(() => order.push('late')))
    await stack[Symbol.asyncDispose]()
    expect(order).toEqual(['late', 'first'])
  })
})
